import Foundation
import GodwitEngine
import Logging
import SystemPackage

// Premigration assessments of a task. Results lie in the service's state folder, not in a bucket.
extension ControlPlane {
    func startAssessment(_ members: Members, _ caller: Caller) throws -> JSON {
        let task = try required(.task, members.required("ReplicationTaskArn"), "Replication task")
        for name in ["ServiceAccessRoleArn", "ResultLocationBucket"] { _ = try members.required(name) }
        let name = try members.required("AssessmentRunName")
        let identifier = "\(task.arn)|\(name)"
        guard try !store.all(.assessmentRun).contains(where: { $0.text("ReplicationTaskArn") == task.arn && Assessment.isUnderWay($0) }) else {
            throw APIFault.state("An assessment run of replication task \(task.identifier) is under way.")
        }
        let wanted = try selected(members)
        var run = Resource(
            kind: .assessmentRun, arn: arn(.assessmentRun, Identifier.fresh(), caller), identifier: identifier,
            document: [
                "ReplicationTaskArn": .string(task.arn), "Status": "starting", "AssessmentRunName": .string(name),
                "ReplicationTaskAssessmentRunCreationDate": .time(Date()),
                "AssessmentProgress": ["IndividualAssessmentCount": .int(Int64(wanted.count)), "IndividualAssessmentCompletedCount": 0],
                "_Individuals": .array(wanted.map { ["Name": .string($0), "Status": "pending", "ID": .string(Identifier.fresh())] }),
            ])
        run["ReplicationTaskAssessmentRunArn"] = .string(run.arn)
        for name in ["ServiceAccessRoleArn", "ResultLocationBucket", "ResultLocationFolder", "ResultEncryptionMode", "ResultKmsKeyArn"] {
            if let text = try members.text(name) { run[name] = .string(text) }
        }
        let plan = try plan(task)
        try add(run, members, limit: 1000)
        let arn = run.arn
        assessments[arn] = Task { await self.assess(arn, plan) }
        return ["ReplicationTaskAssessmentRun": try shown(run: run)]
    }

    /// `IncludeOnly` or `Exclude`, never both.
    private func selected(_ members: Members) throws -> [String] {
        let all = Assessment.groups.map(\.name)
        let (only, without) = (try members.texts("IncludeOnly"), try members.texts("Exclude"))
        guard only == nil || without == nil else { throw APIFault.combination("IncludeOnly and Exclude can't both be given.") }
        if let unknown = ((only ?? []) + (without ?? [])).first(where: { !all.contains($0) }) {
            throw APIFault.value("There is no individual assessment \(unknown). Known: \(all.joined(separator: ", ")).")
        }
        let kept = all.filter { only?.contains($0) ?? !(without ?? []).contains($0) }
        guard !kept.isEmpty else { throw APIFault.value("No individual assessment is left to run.") }
        return kept
    }

    private func assess(_ arn: String, _ plan: Plan) async {
        defer { assessments[arn] = nil }
        do {
            try change(arn) { $0["Status"] = "running" }
            let began = Date()
            let findings = try await Preflight.check(plan: plan)
            try Task.checkCancellation()
            let byGroup = Dictionary(grouping: findings) { Assessment.group(of: $0.check) }
            try write(findings, of: arn)
            try change(arn) { run in
                var statuses: [String] = []
                run["_Individuals"] = .array(
                    (run["_Individuals"]?.elements ?? []).map { individual in
                        var members = individual.members ?? [:]
                        let status = Assessment.status(byGroup[members["Name"]?.text ?? ""] ?? [])
                        statuses.append(status)
                        members["Status"] = .string(status)
                        members["Start"] = .time(began)
                        return .object(members)
                    })
                run["Status"] = .string(Assessment.status(ofRun: statuses))
                let chosen = Set((run["_Individuals"]?.elements ?? []).compactMap { $0["Name"]?.text })
                if let first = findings.first(where: { $0.blocks && chosen.contains(Assessment.group(of: $0.check)) }) {
                    run["LastFailureMessage"] = .string(first.description)
                }
            }
        } catch is CancellationError {
            // Whoever cancelled it has said what it is now.
        } catch {
            let text = "\(error)"
            do {
                try change(arn) { run in
                    guard Assessment.isUnderWay(run) else { return }
                    run["Status"] = "error-executing"
                    run["LastFailureMessage"] = .string(text)
                    run["_Individuals"] = .array(Assessment.settled(run, as: "error"))
                }
            } catch {
                logger.error("The result of an assessment could not be stored: \(error)")
            }
        }
    }

    private func change(_ arn: String, _ body: (inout Resource) -> Void) throws {
        guard var run = try store.find(arn) else { throw CancellationError() }
        body(&run)
        try store.update(run)
    }

    private func file(of arn: String) -> FilePath {
        store.folder.appending("assessments").appending((arn.split(separator: ":").last.map(String.init) ?? "run") + ".json")
    }

    private func write(_ findings: [Finding], of arn: String) throws {
        let file = file(of: arn)
        try FileManager.default.createDirectory(
            atPath: file.removingLastComponent().string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(findings).write(to: URL(fileURLWithPath: file.string), options: .atomic)
    }

    // MARK: What they came to

    private func shown(run: Resource) throws -> JSON {
        var run = run
        let individuals = run["_Individuals"]?.elements ?? []
        var counts: [String: Int64] = [:]
        for individual in individuals { counts[individual["Status"]?.text ?? "", default: 0] += 1 }
        run["AssessmentProgress"] = [
            "IndividualAssessmentCount": .int(Int64(individuals.count)),
            "IndividualAssessmentCompletedCount": .int(Int64(individuals.count) - (counts["pending"] ?? 0)),
        ]
        let names = ["Passed": "passed", "Failed": "failed", "Error": "error", "Warning": "warning", "Cancelled": "cancelled", "Skipped": "skipped"]
        run["ResultStatistic"] = .object(names.mapValues { .int(counts[$0] ?? 0) })
        let latest = try store.all(.assessmentRun).last { $0.text("ReplicationTaskArn") == run.text("ReplicationTaskArn") }
        run["IsLatestTaskAssessmentRun"] = .bool(latest == nil || latest?.arn == run.arn)
        return run.shown
    }

    func describeAssessmentRuns(_ members: Members) throws -> JSON {
        let instances = Dictionary(
            try store.all(.task).map { ($0.arn, $0.text("ReplicationInstanceArn")) }, uniquingKeysWith: { first, _ in first })
        return try Listing(
            member: "ReplicationTaskAssessmentRuns",
            filters: [
                "replication-task-assessment-run-arn": { [$0.arn] }, "replication-task-arn": { [$0.text("ReplicationTaskArn")] },
                "replication-instance-arn": { [instances[$0.text("ReplicationTaskArn")] ?? ""] }, "status": { [$0.text("Status")] },
            ], noMatch: "No assessment runs found matching the filters."
        ).page(try store.all(.assessmentRun), members, shown(run:))
    }

    func describeIndividualAssessments(_ members: Members) throws -> JSON {
        // Each as a resource of its own, so that pages and filters are those of every list.
        var all: [Resource] = []
        for run in try store.all(.assessmentRun) {
            for (index, individual) in (run["_Individuals"]?.elements ?? []).enumerated() {
                let prefix = run.arn.split(separator: ":").dropLast(2).joined(separator: ":")
                let arn = "\(prefix):individual-assessment:\(individual["ID"]?.text ?? "")"
                var made = Resource(
                    kind: .assessmentRun, arn: arn, identifier: arn,
                    document: [
                        "ReplicationTaskIndividualAssessmentArn": .string(arn), "ReplicationTaskAssessmentRunArn": .string(run.arn),
                        "IndividualAssessmentName": individual["Name"] ?? "", "Status": individual["Status"] ?? "pending",
                        "_Task": .string(run.text("ReplicationTaskArn")),
                    ])
                if let start = individual["Start"] { made["ReplicationTaskIndividualAssessmentStartDate"] = start }
                made.id = run.id * 100 + Int64(index)
                all.append(made)
            }
        }
        return try Listing(
            member: "ReplicationTaskIndividualAssessments",
            filters: [
                "replication-task-assessment-run-arn": { [$0.text("ReplicationTaskAssessmentRunArn")] },
                "replication-task-arn": { [$0.text("_Task")] }, "status": { [$0.text("Status")] },
            ], noMatch: "No individual assessments found matching the filters."
        ).page(all, members, \.shown)
    }

    func describeApplicableAssessments(_ members: Members) throws -> JSON {
        if let arn = try members.text("ReplicationTaskArn") {
            _ = try required(.task, arn, "Replication task")
        } else {
            _ = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
            for name in ["SourceEngineName", "TargetEngineName"] {
                guard Self.engines[try members.required(name)] != nil else { throw APIFault.value("\(name) must be one of \(Self.engines.keys.sorted().joined(separator: ", ")).") }
            }
            _ = try members.required("MigrationType")
        }
        let names = Assessment.groups.map(\.name)
        let page = try Page(members, longest: 100, usual: 100)
        let rest = names.dropFirst(Int(page.after))
        var answer: [String: JSON] = ["IndividualAssessmentNames": .array(rest.prefix(page.size).map(JSON.string))]
        if rest.count > page.size { answer["Marker"] = .string(Page.marker(page.after + Int64(page.size))) }
        return .object(answer)
    }

    // MARK: Their end

    func cancelAssessment(_ members: Members) throws -> JSON {
        var run = try required(.assessmentRun, members.required("ReplicationTaskAssessmentRunArn"), "Assessment run")
        guard Assessment.isUnderWay(run) else { throw APIFault.state("The assessment run has ended: \(run.text("Status")).") }
        assessments[run.arn]?.cancel()
        run["_Individuals"] = .array(Assessment.settled(run, as: "cancelled"))
        run["Status"] = "cancelling"
        try store.update(run)
        return ["ReplicationTaskAssessmentRun": try shown(run: run)]
    }

    func deleteAssessment(_ members: Members) throws -> JSON {
        var run = try required(.assessmentRun, members.required("ReplicationTaskAssessmentRunArn"), "Assessment run")
        guard !Assessment.isUnderWay(run) else { throw APIFault.state("The assessment run is \(run.text("Status")): cancel it first.") }
        try remove(run)
        run["Status"] = "deleting"
        return ["ReplicationTaskAssessmentRun": try shown(run: run)]
    }

    func deleteAssessments(of task: Resource) throws {
        for run in try store.all(.assessmentRun) where run.text("ReplicationTaskArn") == task.arn { try remove(run) }
    }

    private func remove(_ run: Resource) throws {
        assessments[run.arn]?.cancel()
        try store.delete(run.arn)
        let file = file(of: run.arn).string
        if FileManager.default.fileExists(atPath: file) { try FileManager.default.removeItem(atPath: file) }
    }
}
