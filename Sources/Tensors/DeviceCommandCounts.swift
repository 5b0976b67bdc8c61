// How much a device is told to do, and how often it has to wait in between.

/// Commands that a device was given.
package struct DeviceCommandCounts: Sendable, Equatable {
    /// Times that a shader was run.
    package let dispatches: Int
    /// Points where nothing later began before all earlier was done: on a graphics card each costs some microseconds.
    package let barriers: Int

    /// That many commands.
    package init(dispatches: Int, barriers: Int) {
        self.dispatches = dispatches
        self.barriers = barriers
    }

    /// What was given between two counts.
    package static func - (later: Self, earlier: Self) -> Self {
        Self(dispatches: later.dispatches - earlier.dispatches, barriers: later.barriers - earlier.barriers)
    }
}
