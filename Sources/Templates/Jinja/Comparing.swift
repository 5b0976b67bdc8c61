// Equality, order and membership of values, as in Python.

import InferSupport

extension Interpreter {
    /// Whether two values are equal.
    func areEqual(_ left: Value, _ right: Value, depth: Int = 0) throws(Fault) -> Bool {
        try spend(1)
        try checkDepth(depth)
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.text(let one), .text(let other)):
            try spend(min(one.bytes.count, other.bytes.count) / 64)
            return one == other
        case (.list(let one), .list(let other)):
            if one === other { return true }
            guard one.kind == other.kind, one.kind != .iterator, one.kind != .values,
                one.items.count == other.items.count
            else { return false }
            for (first, second) in zip(one.items, other.items)
            where !(try areEqual(first, second, depth: depth + 1)) {
                return false
            }
            return true
        case (.mapping(let one), .mapping(let other)):
            if one === other { return true }
            guard one.count == other.count else { return false }
            for (key, value) in zip(one.keys, one.values) {
                guard let hashed = MappingValue.Key(key), let counterpart = other[hashed],
                    try areEqual(value, counterpart, depth: depth + 1)
                else { return false }
            }
            return true
        case (.namespace(let one), .namespace(let other)): return one === other
        case (.loop(let one), .loop(let other)): return one === other
        case (.function(let one), .function(let other)): return one === other
        default:
            guard let one = left.number, let other = right.number else { return false }
            switch (one, other) {
            case (.integer(let first), .integer(let second)): return first == second
            default: return one.double == other.double
            }
        }
    }

    /// Whether `left` comes before `right`.
    func isLess(_ left: Value, _ right: Value, operation: String = "<", depth: Int = 0) throws(Fault) -> Bool {
        try spend(1)
        try checkDepth(depth)
        switch (left, right) {
        case (.text(let one), .text(let other)):
            try spend(min(one.bytes.count, other.bytes.count) / 64)
            // The order of UTF-8 is the order of scalars.
            return one.bytes.lexicographicallyPrecedes(other.bytes)
        case (.list(let one), .list(let other))
        where one.kind == other.kind && one.kind.isIndexed && one.kind != .range:
            for (first, second) in zip(one.items, other.items)
            where !(try areEqual(first, second, depth: depth + 1)) {
                return try isLess(first, second, operation: operation, depth: depth + 1)
            }
            return one.items.count < other.items.count
        default:
            if let name = missing(left) ?? missing(right) { throw Fault(name) }
            guard let one = left.number, let other = right.number else {
                throw Fault(
                    "'\(operation)' not supported between instances of '\(left.typeName)' and '\(right.typeName)'")
            }
            switch (one, other) {
            case (.integer(let first), .integer(let second)): return first < second
            default: return one.double < other.double
            }
        }
    }

    private func missing(_ value: Value) -> String? { if case .undefined(let name) = value { name } else { nil } }

    /// One link of a chain of comparisons.
    func compare(_ operation: Expression.Comparison, _ left: Value, _ right: Value) throws(Fault) -> Bool {
        switch operation {
        case .equal: return try areEqual(left, right)
        case .notEqual: return try !areEqual(left, right)
        case .less: return try isLess(left, right)
        case .greater: return try isLess(right, left, operation: ">")
        case .lessOrEqual, .greaterOrEqual:
            let (one, other) = operation == .lessOrEqual ? (left, right) : (right, left)
            if try isLess(one, other, operation: operation.rawValue) { return true }
            return try areEqual(one, other)
        case .contained: return try contains(right, left)
        case .notContained: return try !contains(right, left)
        }
    }

    /// Whether `item` is in `container`.
    func contains(_ container: Value, _ item: Value) throws(Fault) -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = item else {
                throw Fault("'in <string>' requires string as left operand, not \(item.typeName)")
            }
            try spend(text.bytes.count / 16)
            return part.bytes.isEmpty || text.firstRange(of: part.bytes) != nil
        case .mapping(let mapping):
            return mapping[try key(item)] != nil
        case .list, .undefined, .loop:
            for element in try items(of: container) where try areEqual(element, item) { return true }
            return false
        default: throw Fault("argument of type '\(container.typeName)' is not iterable")
        }
    }

    func unhashable(_ value: Value) -> Fault { Fault("unhashable type: '\(value.typeName)'") }

    /// The key of a mapping for `value`.
    func key(_ value: Value) throws(Fault) -> MappingValue.Key {
        try spend(1)
        if case .text(let text) = value { try spend(text.bytes.count / 64) }
        guard let key = MappingValue.Key(value) else { throw unhashable(value) }
        return key
    }

    /// The indexes of `keys` in ascending order of the keys. Equal keys keep their order, also if the order is reversed.
    func sortedIndexes(_ keys: [Value], isReversed: Bool) throws(Fault) -> [Int] {
        // Merge sort, since a comparison can throw.
        var indexes = isReversed ? Array(keys.indices.reversed()) : Array(keys.indices)
        var buffer = indexes
        var width = 1
        while width < indexes.count {
            for start in stride(from: 0, to: indexes.count, by: 2 * width) {
                let middle = min(start + width, indexes.count)
                let end = min(start + 2 * width, indexes.count)
                var left = start
                var right = middle
                for place in start..<end {
                    var takesRight = right < end
                    if takesRight, left < middle { takesRight = try isLess(keys[indexes[right]], keys[indexes[left]]) }
                    buffer[place] = takesRight ? indexes[right] : indexes[left]
                    if takesRight { right += 1 } else { left += 1 }
                }
            }
            swap(&indexes, &buffer)
            width *= 2
        }
        return isReversed ? indexes.reversed() : indexes
    }
}
