module lab.invalid/runc-without-resources

go 1.26
