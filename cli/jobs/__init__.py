"""The jobs that go through a whole table: each can be killed at any point and begun again, and loses nothing by it."""
