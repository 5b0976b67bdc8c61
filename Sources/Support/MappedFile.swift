// A file mapped into memory, read-only.

/// A whole file mapped read-only, or a copy of bytes in its place. The bytes are valid as long as the object lives, so code
/// that keeps a pointer into them must keep the object.
///
/// If another process shortens a mapped file, later reads fault. Replace model files by renaming, as ``OutputFile`` does.
///
/// Sendable because nothing writes to the bytes.
package final class MappedFile: @unchecked Sendable {
    /// The path of the file.
    package let path: String
    /// The file's bytes; empty for an empty file.
    package let bytes: UnsafeRawBufferPointer
    /// Whether the bytes are a mapping; otherwise they are allocated memory.
    private let isMapping: Bool

    /// Maps the file at `path`, which must be a regular file.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`.
    package init(path: String) throws(InferenceError) {
        guard !path.utf8.contains(0) else {
            throw InferenceError(.unreadableFile, "cannot open \(path.printable): the path contains a zero byte")
        }
        // Without O_NONBLOCK, opening a named pipe waits for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("examine", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw InferenceError(.unreadableFile, "cannot read \(path): it is not a regular file")
        }
        self.path = path
        isMapping = true
        let size = Int(status.st_size)
        if size == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw Self.failure("map", path)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// A copy of `contents`. Messages call it `path`.
    package init(contents: [UInt8], path: String) {
        self.path = path
        isMapping = false
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
        copy.copyBytes(from: contents)
        bytes = UnsafeRawBufferPointer(copy)
    }

    deinit {
        guard isMapping else { return bytes.deallocate() }
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }

    /// Tells the system that it may release the memory of the bytes in `range`. A later read loads them from the file again.
    package func discard(_ range: Range<Int>) {
        guard isMapping, let address = bytes.baseAddress else { return }
        // Only whole pages can be released. The mapping starts on a page boundary.
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        guard first < end, end <= bytes.count else { return }
        madvise(UnsafeMutableRawPointer(mutating: address + first), end - first, MADV_DONTNEED)
    }

    /// Loads the whole file into memory and into the page table of the process, so that later reads do not wait. This takes as
    /// long as reading the file.
    package func populate() {
        guard isMapping, let address = bytes.baseAddress else { return }
        let mapping = UnsafeMutableRawPointer(mutating: address)
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let step = 1 << 23
        var sum: UInt8 = 0
        #if os(Linux)
        // Ask for large pages, if the file system supports them: random reads in a file of a gigabyte spend more time in the
        // page table than in memory.
        madvise(mapping, bytes.count, 14)  // MADV_HUGEPAGE
        #endif
        for start in stride(from: 0, to: bytes.count, by: step) {
            let end = min(start + step, bytes.count)
            #if os(Linux)
            // MADV_POPULATE_READ of madvise(2); older C libraries do not define it. It saves page faults in the loop below.
            madvise(mapping + start, end - start, 22)
            #endif
            // A virtual machine provides memory only when it is touched.
            for offset in stride(from: start, to: end, by: page) { sum &+= bytes[offset] }
        }
        withExtendedLifetime(sum) {}
    }

    private static func failure(_ action: String, _ path: String) -> InferenceError {
        InferenceError(.unreadableFile, "cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
