// The values a quantum of a format without minima can stand for, in units of the scale.

/// An ascending set of levels around zero.
protocol SymmetricLevels: SendableMetatype {
    /// The least level, the farthest from zero.
    static var lower: Float { get }
    /// The greatest level.
    static var upper: Float { get }
    /// The level nearest to each value.
    static func nearest(_ values: Lanes) -> Lanes
}

/// Formats whose quanta are the integers from `lower` to `upper`.
protocol IntegerLevels: SymmetricLevels {}

extension IntegerLevels {
    @inline(__always)
    static func nearest(_ values: Lanes) -> Lanes { values.nearestIntegers.clampedIntegers(lower, upper) }
}

/// Q3_K's: −4…3.
enum Levels3: IntegerLevels {
    static let lower: Float = -4, upper: Float = 3
}

/// Q4_0's: −8…7.
enum Levels4: IntegerLevels {
    static let lower: Float = -8, upper: Float = 7
}

/// Q5_0's: −16…15.
enum Levels5: IntegerLevels {
    static let lower: Float = -16, upper: Float = 15
}

/// Q6_K's: −32…31.
enum Levels6: IntegerLevels {
    static let lower: Float = -32, upper: Float = 31
}

extension IQ4_NL: SymmetricLevels {
    static let lower: Float = -127, upper: Float = 113
    /// Its uneven levels, IQ4_XS's too.
    static let levels = LevelTable(bound: 128, level: value)

    @inline(__always)
    static func nearest(_ values: Lanes) -> Lanes { levels.nearest(values) }
}

extension MXFP4: SymmetricLevels {
    static let lower: Float = -12, upper: Float = 12
    /// Twice the values of E2M1.
    static let levels = LevelTable(bound: 13, level: value)

    @inline(__always)
    static func nearest(_ values: Lanes) -> Lanes { levels.nearest(values) }
}
