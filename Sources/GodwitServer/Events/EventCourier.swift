import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Brings events to the webhooks of their subscriptions: in order, each until it was taken, over restarts of the service too; one that takes
/// nothing holds up neither another nor any task. An event may come twice: `MessageId` is the same then.
actor EventCourier {
    private let store: StateStore
    private let logger: Logger
    private let client: HTTPClient
    /// Subscriptions that are being served, by ARN.
    private var busy: Set<String> = []
    private var failures: [String: (count: Int, next: ContinuousClock.Instant)] = [:]

    init(store: StateStore, logger: Logger) {
        self.store = store
        self.logger = logger
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(20))
        // Where a webhook says it is, not where it sends one.
        configuration.redirectConfiguration = .disallow
        client = HTTPClient(configuration: configuration)
    }

    /// Until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for subscription in waiting() {
                    busy.insert(subscription.resource.arn)
                    group.addTask { await self.deliver(subscription) }
                }
                do { try await Task.sleep(for: .milliseconds(500)) } catch { break }
            }
            group.cancelAll()
        }
        do {
            try await client.shutdown()
        } catch {
            logger.warning("The webhooks' connections could not be closed: \(error)")
        }
    }

    private func waiting() -> [Subscription] {
        do {
            let last = try store.lastEvent()
            return try store.all(.subscription).map(Subscription.init).filter { subscription in
                let arn = subscription.resource.arn
                return subscription.isEnabled && subscription.delivered < last && !busy.contains(arn)
                    && failures[arn].map { $0.next <= .now } ?? true
            }
        } catch {
            logger.error("Event subscriptions can't be read: \(error)")
            return []
        }
    }

    private func deliver(_ subscription: Subscription) async {
        let arn = subscription.resource.arn
        defer { busy.remove(arn) }
        do {
            for event in try store.events(after: subscription.delivered, limit: 100) {
                if subscription.wants(event) { try await post(try subscription.body(event), to: subscription.address) }
                // Deleted or switched off meanwhile: whoever did it decides.
                guard let now = try store.find(arn), Subscription(resource: now).isEnabled else { return }
                try store.setDelivered(event.id, of: arn)
            }
            failures[arn] = nil
        } catch {
            if Task.isCancelled { return }
            let count = (failures[arn]?.count ?? 0) + 1
            failures[arn] = (count, .now + .seconds(Subscription.pause(after: count)))
            logger.warning("The webhook of subscription \(subscription.name) took no event (\(count) times in a row): \(error)")
        }
    }

    private func post(_ body: [UInt8], to address: String) async throws {
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json; charset=utf-8")
        request.headers.add(name: "user-agent", value: "Godwit")
        request.body = .bytes(ByteBuffer(bytes: body))
        let answer = try await client.execute(request, timeout: .seconds(30))
        guard (200..<300).contains(answer.status.code) else { throw ServerError("It answered \(answer.status.code).") }
    }
}
