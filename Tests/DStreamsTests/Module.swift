// The test target's first file; replaced as its module is built.
