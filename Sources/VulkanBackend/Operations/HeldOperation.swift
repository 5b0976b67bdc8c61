// Operations that are held back because one command may do them together with the operation that follows.

import InferSupport

/// An operation that was requested and is not recorded yet.
///
/// On a graphics card, a barrier between dependent commands takes some microseconds, as long as many operations do. Two
/// operations in one command need no barrier. Operands are known by address alone. This is safe because an operation is
/// recorded in the frame in which it was requested, and memory that is released meanwhile lives until that frame is done.
enum HeldOperation {
    case products(Products)
    case addition(Addition)
    case norm(NormOperation)
    case activation(ActivationOperation)
    case combination(ExpertCombination)
    case rotations(Rotations)
    case storing(Storing)

    /// One operation that does this and then `next`, with the same bits; nil if there is none.
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

    /// Passes the operation's commands to `record`, in order.
    func record(_ record: (DeviceCommand) throws(InferenceError) -> Void) throws(InferenceError) {
        switch self {
        case .products(let products): try products.record(record)
        case .addition(let addition): try record(.add(addition))
        case .norm(let norm): try record(.normalize(norm))
        case .activation(let activation): try record(.activate(activation))
        case .combination(let combination): try record(.combineExperts(combination))
        case .rotations(let rotations):
            for target in rotations.targets { try record(.rotate(target, rotations)) }
        case .storing(let storing): try record(.store(storing))
        }
    }
}
