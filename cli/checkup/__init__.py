"""What `zendesk-oauth doctor` looks at: a check says nothing where all is well, or what to do."""
