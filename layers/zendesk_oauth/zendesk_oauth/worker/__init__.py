"""The worker's library: an access token for one's own code, and never OAuth."""
