// The connector's first file.
