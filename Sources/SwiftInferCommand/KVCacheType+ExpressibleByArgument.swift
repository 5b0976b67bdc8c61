// The cache types as values of an option.

public import ArgumentParser
public import SwiftInfer

extension KVCacheType: ExpressibleByArgument {}
