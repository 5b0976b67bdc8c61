// A pseudo-terminal, for tests of the interactive mode.

import Foundation

/// The two ends of a pseudo-terminal.
final class PseudoTerminal {
    /// The user's end. Text written here counts as typed.
    let person: FileHandle
    /// The program's end.
    let program: FileHandle

    private static let lock = NSLock()

    /// Opens a pseudo-terminal.
    init() throws {
        // Some system modules do not export these POSIX functions to Swift.
        let open = try Self.function("posix_openpt", as: (@convention(c) (Int32) -> Int32).self)
        let grant = try Self.function("grantpt", as: (@convention(c) (Int32) -> Int32).self)
        let unlock = try Self.function("unlockpt", as: (@convention(c) (Int32) -> Int32).self)
        let name = try Self.function("ptsname", as: (@convention(c) (Int32) -> UnsafePointer<CChar>?).self)
        let descriptor = open(O_RDWR | O_NOCTTY)
        guard descriptor >= 0, grant(descriptor) == 0, unlock(descriptor) == 0 else { throw POSIXError(.ENODEV) }
        // The next call of ptsname overwrites its result.
        let path = Self.lock.withLock { name(descriptor).map { String(cString: $0) } }
        person = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let path, let handle = FileHandle(forUpdatingAtPath: path) else { throw POSIXError(.ENODEV) }
        program = handle
    }

    /// Types lines, each with a line break.
    func type(_ lines: String...) throws {
        for line in lines { try person.write(contentsOf: Data((line + "\n").utf8)) }
    }

    /// The modes of the terminal, such as line editing and echo.
    var localModes: tcflag_t {
        get throws {
            var settings = termios()
            guard tcgetattr(program.fileDescriptor, &settings) == 0 else { throw POSIXError(.ENOTTY) }
            return settings.c_lflag
        }
    }

    private static func function<F>(_ name: String, as type: F.Type) throws -> F {
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), name) else { throw POSIXError(.ENOSYS) }
        return unsafeBitCast(symbol, to: type)
    }
}
