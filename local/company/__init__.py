"""The company's own site, for trying `make local` by hand: a Connect button, two users, and a backend that confirms."""
