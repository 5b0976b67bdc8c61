// Operations that are recorded one late, because the next may be done along with them.

import InferSupport

/// An operation that was asked for and may not be recorded yet.
///
/// On a graphics card every barrier between dependent commands takes some microseconds, as long as many an operation does; two
/// operations in one command need none. What an operation works on is known by address alone: it is recorded in the frame in
/// which it was asked for, and what is given back meanwhile lives as long as that.
enum HeldOperation {
    case products(Products)
    case addition(Addition)
    case norm(NormOperation)
    case activation(ActivationOperation)
    case combination(ExpertCombination)
    case rotations(Rotations)
    case storing(Storing)

    /// One operation that does what this does and then what `next` does, with the same bits; nil where there is none.
    func joined(with next: HeldOperation) -> HeldOperation? {
        switch (self, next) {
        case (.products(let products), .addition(let addition)): products.adding(addition).map(Self.products)
        case (.combination(let sum), .addition(let addition)): sum.adding(addition).map(Self.combination)
        case (.norm(let norm), .addition(let addition)): norm.adding(addition).map(Self.norm)
        case (.norm(let first), .norm(let second)): first.normalizingSum(second).map(Self.norm)
        case (.norm(let norm), .products(let products)): products.rounding(norm).map(Self.products)
        case (.activation(let values), .products(let products)): products.rounding(values).map(Self.products)
        case (.rotations(let first), .rotations(let second)): first.followed(by: second).map(Self.rotations)
        case (.rotations(let rotations), .storing(let storing)): storing.rotating(rotations).map(Self.storing)
        default: nil
        }
    }

    /// Records its commands.
    func record(on queue: CommandQueue) throws(InferenceError) {
        switch self {
        case .products(let products): try products.record(on: queue)
        case .addition(let addition): try addition.record(on: queue)
        case .norm(let norm): try norm.record(on: queue)
        case .activation(let activation): try activation.record(on: queue)
        case .combination(let combination): try combination.record(on: queue)
        case .rotations(let rotations): try rotations.record(on: queue)
        case .storing(let storing): try storing.record(on: queue)
        }
    }
}
