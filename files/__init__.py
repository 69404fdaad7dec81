"""Files: the contents of attachments, in a directory or an S3 bucket, and their scanner."""
