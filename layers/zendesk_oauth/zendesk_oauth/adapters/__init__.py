"""The only rooms that know an SDK: DynamoDB, KMS, Secrets Manager, Zendesk over Authlib, and the clock."""
