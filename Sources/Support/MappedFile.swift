// A file mapped into memory, read-only, for as long as the object lives.

/// A whole file, mapped read-only, or a copy of bytes that stands in for one. The bytes go with the object: whoever keeps
/// a pointer into them keeps the object.
///
/// Another process that shortens a mapped file makes later reads fault; replace model files by renaming, as
/// ``GGUFWriter`` does.
///
/// Sendable because nothing ever writes to the bytes.
package final class MappedFile: @unchecked Sendable {
    /// The path the file was opened by.
    package let path: String
    /// The file's bytes; empty for an empty file.
    package let bytes: UnsafeRawBufferPointer
    /// Whether the bytes are a mapping, to be unmapped, or allocated memory, to be freed.
    private let isMapping: Bool

    /// Maps the file at `path`. Only regular files can be mapped.
    package init(path: String) throws(InferenceError) {
        guard !path.utf8.contains(0) else {
            throw InferenceError(.unreadableFile, "cannot open \(path.printable): the path contains a zero byte")
        }
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
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

    /// A copy of `contents`, called `path` in messages.
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

    /// Lets the system take back the memory behind bytes in `range`; they are read from the file again when they are needed.
    package func discard(_ range: Range<Int>) {
        guard isMapping, let address = bytes.baseAddress else { return }
        // Whole pages, counted from the mapping's start, which is on a page boundary.
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        guard first < end, end <= bytes.count else { return }
        madvise(UnsafeMutableRawPointer(mutating: address + first), end - first, MADV_DONTNEED)
    }

    /// Brings the whole file into memory and into the process's view of it, so that later reads need not wait. Takes its time.
    package func populate() {
        guard isMapping, let address = bytes.baseAddress else { return }
        let mapping = UnsafeMutableRawPointer(mutating: address)
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let step = 1 << 23
        var sum: UInt8 = 0
        #if os(Linux)
            // What is read from now on may come in large pages, if the file system has them: reads all over a file of a gigabyte
            // wait for the page table more than for the memory.
            madvise(mapping, bytes.count, 14)  // MADV_HUGEPAGE
        #endif
        for start in stride(from: 0, to: bytes.count, by: step) {
            let end = min(start + step, bytes.count)
            #if os(Linux)
                // MADV_POPULATE_READ of madvise(2), which C libraries may not know yet: fewer faults for what follows.
                madvise(mapping + start, end - start, 22)
            #endif
            // In a virtual machine memory is there only when it has been touched.
            for offset in stride(from: start, to: end, by: page) { sum &+= bytes[offset] }
        }
        withExtendedLifetime(sum) {}
    }

    private static func failure(_ action: String, _ path: String) -> InferenceError {
        InferenceError(.unreadableFile, "cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
