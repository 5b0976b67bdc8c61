// Phi 3, 3.5 and 4 mini (arXiv 2404.14219). Their sliding window is wider than the contexts it was checked with; like the
// reference engine this one attends to everything.

import InferTensors

extension Architecture {
    static let phi3 = Architecture("phi3", ropePairing: .halves)
}
