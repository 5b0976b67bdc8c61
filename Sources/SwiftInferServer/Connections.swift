// Limits on connections: their number, the time for headers and body, clients that do not read; and the news of their end.

#if Server

import HTTPTypes
import Hummingbird
import HummingbirdCore
import InferSupport
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The open connections of a server.
final class Connections: Sendable {
    private struct State {
        var count = 0
        var perAddress: [String: Int] = [:]
        /// What to do when a connection ends, by connection and by request.
        var actions: [ObjectIdentifier: [Int: @Sendable () -> Void]] = [:]
        var nextAction = 0
    }

    let limits: InferenceServer.Limits
    private let state = Mutex(State())

    init(_ limits: InferenceServer.Limits) { self.limits = limits }

    /// The number of open connections.
    var count: Int { state.withLock { $0.count } }

    /// The configuration of a server whose connections are in this table.
    var channelConfiguration: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(self)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.pathBytes + (1 << 10), maxHeaderListSize: limits.headerBytes,
                maxHeaderFieldCount: limits.headerCount))
    }

    /// Counts a new connection from `address`. Returns false if there are too many.
    fileprivate func open(_ channel: any Channel, from address: String) -> Bool {
        state.withLock { state in
            guard state.count < limits.connections, state.perAddress[address, default: 0] < limits.connectionsPerAddress
            else { return false }
            state.count += 1
            state.perAddress[address, default: 0] += 1
            state.actions[ObjectIdentifier(channel)] = [:]
            return true
        }
    }

    /// Counts the end of a connection, and runs what is to be done then.
    fileprivate func close(_ channel: any Channel, from address: String) {
        let actions = state.withLock { state in
            state.count -= 1
            let rest = state.perAddress[address, default: 1] - 1
            state.perAddress[address] = rest > 0 ? rest : nil
            return state.actions.removeValue(forKey: ObjectIdentifier(channel)) ?? [:]
        }
        for action in actions.values { action() }
    }

    /// Runs `action` when the connection ends, unless ``forget(_:of:)`` is called before with the result.
    func whenClosed(_ channel: any Channel, _ action: @escaping @Sendable () -> Void) -> Int {
        let number: Int? = state.withLock { state in
            state.nextAction += 1
            guard state.actions[ObjectIdentifier(channel)] != nil else { return nil }
            state.actions[ObjectIdentifier(channel)]?[state.nextAction] = action
            return state.nextAction
        }
        // Already closed. A test without connections has a channel that is open but unknown.
        if number == nil, !channel.isActive { action() }
        return number ?? 0
    }

    /// Drops an action of ``whenClosed(_:_:)``.
    func forget(_ action: Int, of channel: any Channel) {
        state.withLock { _ = $0.actions[ObjectIdentifier(channel)]?.removeValue(forKey: action) }
    }
}

/// Watches one connection: ends it when a limit is reached, and reports its end.
///
/// It stands between the parts of HTTP and the server, so that single bytes of a slow client do not reset its timers.
private final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: Connections
    /// The client's address, once the connection is counted.
    private var address: String?
    private var isRefused = false
    /// The number of requests whose response has not ended.
    private var requests = 0
    private var isReadingBody = false
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?

    init(_ connections: Connections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { begin(context) } }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(context) }

    private func begin(_ context: ChannelHandlerContext) {
        guard address == nil, !isRefused else { return }
        let address = context.remoteAddress?.ipAddress ?? ""
        guard connections.open(context.channel, from: address) else {
            isRefused = true
            refuse(context, .serviceUnavailable)
            return
        }
        self.address = address
        close(context, after: connections.limits.headerTime)
    }

    private func end(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
        guard let address else { return }
        self.address = nil
        isRefused = true
        connections.close(context.channel, from: address)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head:
            requests += 1
            isReadingBody = true
            close(context, after: connections.limits.bodyTime)
        case .body: break
        case .end:
            isReadingBody = false
            deadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            requests = max(0, requests - 1)
            if requests == 0, !isReadingBody { close(context, after: connections.limits.idleTime) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        if !context.channel.isWritable {
            stall = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(connections.limits.stallTime)) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that sends nothing more while it waits for an answer has gone: closing a socket looks like this.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, requests > 0 {
            context.close(promise: nil)
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func close(_ context: ChannelHandlerContext, after time: Duration) {
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) {
            if self.isReadingBody, self.requests == 1 {
                self.isRefused = true
                self.refuse(context, .requestTimeout)
            } else {
                context.close(promise: nil)
            }
        }
    }

    /// Answers with an error and closes the connection.
    private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponse.Status) {
        let head = HTTPResponse(
            status: status, headerFields: [.connection: "close", .contentLength: "0", .retryAfter: "1"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        // A connection that is closed while bytes of the client are unread is reset, and the client loses the response.
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .milliseconds(250)) { channel.close(promise: nil) }
    }
}

#endif
