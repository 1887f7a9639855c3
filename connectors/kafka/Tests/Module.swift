// The connector's first test file.
