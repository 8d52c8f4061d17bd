"""Every schedule of races, faults and deaths that the refresh protocol has to survive, played step by step.

The services under proof are the real ones; clock, store, keys and Zendesk are models that know no time of their own.
Every call to one of them is a point where a schedule may switch to another worker, fail the call, lose its answer,
let time pass, or kill the worker.
"""
