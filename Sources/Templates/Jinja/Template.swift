// A parsed template, and its rendering within limits.

package import InferSupport

/// What a rendering may take. A template comes out of a file, so it must neither run forever nor fill the memory.
package struct TemplateLimits: Hashable, Sendable {
    /// Evaluated expressions, executed statements, elements of lists, and 64-byte pieces of text.
    package var steps = 20_000_000
    /// The depth of nested calls, statements and expressions.
    package var depth = 1000
    /// Bytes of the rendering, and of any text on the way.
    package var textLength = 16 << 20
    /// Lists, mappings, namespaces and loops.
    package var containers = 1_000_000

    /// The standard limits: far more than templates take for a conversation that fills a long context.
    package init() {}
}

/// A template in the language of Jinja2, as chat templates use it: with the settings and additions of Hugging Face's
/// `apply_chat_template`.
///
/// Rendering keeps apart what the template writes and what comes from the variables: see ``TemplateText``.
package struct Template: Sendable {
    private let statements: [Statement]

    /// Parses a template.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTemplate`, naming the line and what is wrong there.
    package init(_ source: String) throws(InferenceError) {
        statements = try DeepStack.run { () throws(Fault) in try Parser.statements(of: source) }
    }

    /// Renders the template.
    ///
    /// - Parameters:
    ///   - variables: The variables. Their strings are input, except for the roles in `messages` that every template knows.
    ///   - marks: Variables whose text belongs to the template, such as `bos_token`. They go before `variables`.
    ///   - now: What `strftime_now` prints.
    ///   - limits: What the rendering may take.
    /// - Throws: ``InferenceError``: `refusedByTemplate` with the text of `raise_exception`, otherwise `unsupportedTemplate` with
    ///   the line and what is wrong there.
    package func render(
        _ variables: JSONObject, marks: [String: String] = [:], now: TemplateDate = .now,
        limits: TemplateLimits = TemplateLimits()
    ) throws(InferenceError) -> TemplateText {
        let statements = statements
        return try DeepStack.run { () throws(Fault) in
            let interpreter = Interpreter(limits: limits, now: now)
            do throws(Fault) {
                return try interpreter.render(statements, variables: variables, marks: marks)
            } catch {
                var fault = error
                fault.line = fault.line ?? interpreter.line
                throw fault
            }
        }
    }
}

extension InferenceError {
    fileprivate init(_ fault: Fault) {
        switch fault.kind {
        case .raised: self.init(.refusedByTemplate, fault.message)
        case .error, .limit:
            let place = fault.line.map { "line \($0): " } ?? ""
            self.init(.unsupportedTemplate, "the chat template cannot be used: \(place)\(fault.message)")
        }
    }
}

/// Runs recursive work on a thread of its own with a stack that is large enough for the deepest template.
private enum DeepStack {
    /// The deepest recursion takes less than a quarter of this in a debug build. Pages are only taken when they are used.
    private static let size = 64 << 20

    private final class Job<Result: Sendable>: @unchecked Sendable {
        // Set before the thread starts, or by the thread before it is joined.
        let work: @Sendable () throws(Fault) -> Result
        var result: Swift.Result<Result, Fault>?

        init(_ work: @escaping @Sendable () throws(Fault) -> Result) { self.work = work }
    }

    /// The result of `work`.
    static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws(Fault) -> Result
    ) throws(InferenceError) -> Result {
        let job = Job(work)
        let body = DeepStackBody { job.result = Swift.Result(catching: job.work) }
        // The body lives until the thread has ended.
        let isRun = withExtendedLifetime(body) { runThread(Unmanaged.passUnretained(body).toOpaque()) }
        guard isRun, let result = job.result else {
            throw InferenceError(.outOfMemory, "cannot start a thread for the chat template")
        }
        do throws(Fault) {
            return try result.get()
        } catch {
            throw InferenceError(error)
        }
    }

    /// Runs the body at `context` on a new thread to its end; false if no thread can be started.
    private static func runThread(_ context: UnsafeMutableRawPointer) -> Bool {
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        defer { attributes.deallocate() }
        guard pthread_attr_init(attributes) == 0 else { return false }
        let hasSize = pthread_attr_setstacksize(attributes, size) == 0
        let thread = hasSize ? start(attributes, context) : nil
        pthread_attr_destroy(attributes)
        guard let thread else { return false }
        pthread_join(thread, nil)
        return true
    }

    private static func start(
        _ attributes: UnsafeMutablePointer<pthread_attr_t>, _ context: UnsafeMutableRawPointer
    ) -> pthread_t? {
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let status = pthread_create(&thread, attributes, { DeepStackBody.main($0) }, context)
        return status == 0 ? thread : nil
    }
}

/// The work of a thread.
private final class DeepStackBody: Sendable {
    private let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }

    static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<DeepStackBody>.fromOpaque(context).takeUnretainedValue().run() }
        return nil
    }
}
