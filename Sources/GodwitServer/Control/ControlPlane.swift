import Foundation
import Logging

/// Whose request it is: a verified signature's access key, and the region that it was signed for.
package struct Caller: Sendable {
    package var accessKey: String
    package var region: String
    package init(accessKey: String, region: String) {
        self.accessKey = accessKey
        self.region = region
    }
}

/// The migration service: its resources, what may be done with them in which state, and the tasks that run. One request at
/// a time changes anything.
package actor ControlPlane {
    let store: StateStore
    let logger: Logger
    /// The account of every ARN: there is only one here.
    static let account = "000000000000"
    static let version = "3.5.4"
    /// Tasks that run in this process, by ARN.
    var runs: [String: TaskRun] = [:]
    /// Assessment runs that go on in this process, by ARN.
    var assessments: [String: Task<Void, Never>] = [:]
    private(set) var isClosing = false

    package init(store: StateStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    typealias Operation = @Sendable (ControlPlane, Members, Caller) async throws -> JSON

    /// - Throws: `APIFault`; anything else is the service's own failure.
    package func perform(_ name: String, _ input: JSON, _ caller: Caller) async throws -> JSON {
        guard let operation = Self.operations[name] else {
            if Self.notOffered.contains(name) { throw APIFault.notOffered(name) }
            throw APIFault.unknownOperation("The operation \(name) is not known.")
        }
        return try await operation(self, try Members(input), caller)
    }

    /// Takes up what was going on when the service ended: tasks that ran run again.
    package func open() throws {
        for var connection in try store.all(.connection) where connection.text("Status") == "testing" {
            connection["Status"] = "failed"
            connection["LastFailureMessage"] = "The test was interrupted: the service was started again."
            try store.update(connection)
        }
        for var endpoint in try store.all(.endpoint) {
            guard var status = endpoint["_Schemas"]?.members, status["Status"]?.text == "refreshing" else { continue }
            status["Status"] = "failed"
            status["LastFailureMessage"] = "The refresh was interrupted: the service was started again."
            endpoint["_Schemas"] = .object(status)
            try store.update(endpoint)
        }
        for var run in try store.all(.assessmentRun) where Assessment.isUnderWay(run) {
            run["Status"] = "error-executing"
            run["LastFailureMessage"] = "The assessment was interrupted: the service was started again."
            run["_Individuals"] = .array(Assessment.settled(run, as: "error"))
            try store.update(run)
        }
        for var task in try store.all(.task) {
            switch task.text("Status") {
            case "starting", "running":
                do {
                    try launch(&task)
                } catch let fault as APIFault {
                    try fail(&task, fault.message)
                }
            case "stopping":
                task["Status"] = "stopped"
                task["StopReason"] = "Stop Reason NORMAL"
                try store.update(task)
            default: break
            }
        }
    }

    /// Stops every run where it can go on later; the tasks stay `running` for the next start.
    package func close() async {
        isClosing = true
        let all = Array(runs.values)
        for run in all { run.stop() }
        for assessment in assessments.values { assessment.cancel() }
        for run in all { await run.ended() }
    }

    // MARK: Shared by the operations

    func arn(_ kind: Resource.Kind, _ id: String, _ caller: Caller) -> String {
        "arn:aws:dms:\(caller.region):\(Self.account):\(kind.rawValue):\(id)"
    }

    /// The last part of a new ARN: the user's own, or a fresh one.
    func resourceID(_ members: Members) throws -> String {
        guard let own = try members.text("ResourceIdentifier"), !own.isEmpty else { return Identifier.fresh() }
        try Identifier.check(own, "ResourceIdentifier", longest: 31)
        return own
    }

    func required(_ kind: Resource.Kind, _ arn: String, _ what: String) throws -> Resource {
        guard let resource = try store.find(arn), resource.kind == kind else {
            throw APIFault.notFound("\(what) not found: \(arn)")
        }
        return resource
    }

    /// Stores a new resource with the tags of its request.
    func add(_ resource: Resource, _ members: Members, limit: Int) throws {
        let tags = try Tags.read(members)
        guard try store.all(resource.kind).count < limit else {
            throw APIFault.quota("The quota of \(limit) is used up.")
        }
        try store.insert(resource)
        try store.setTags(tags, of: resource.arn)
    }

    func instanceEvent(_ instance: Resource, _ category: String, _ message: String) throws {
        try store.addEvent(type: "replication-instance", source: instance.identifier, category: category, message: message)
    }
    func taskEvent(_ task: Resource, _ category: String, _ message: String) throws {
        try store.addEvent(type: "replication-task", source: task.identifier, category: category, message: message)
    }
}

/// `Tags` of a request.
enum Tags {
    static func read(_ members: Members) throws(APIFault) -> [(name: String, value: String)] {
        var tags: [(name: String, value: String)] = []
        for tag in try members.list("Tags") ?? [] {
            guard let name = tag["Key"]?.text, (1...128).contains(name.count) else {
                throw .value("A tag needs a Key of 1 to 128 characters.")
            }
            let value = tag["Value"]?.text ?? ""
            guard value.count <= 256 else { throw .value("A tag's Value has 256 characters at most.") }
            tags.append((name, value))
        }
        guard tags.count <= 50 else { throw .quota("A resource has 50 tags at most.") }
        return tags
    }
}
