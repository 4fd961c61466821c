"""What the routes of the knowledge bases take and give; `zhubo kb --json` prints the same."""
