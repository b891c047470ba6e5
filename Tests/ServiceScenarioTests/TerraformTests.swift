import Foundation
import GodwitTesting
import SystemPackage
import Testing

/// The real Terraform with its aws provider: everything of a migration is made, is what was asked for, and is taken away again.
@Suite struct TerraformTests {
    /// A folder that holds `registry.terraform.io/hashicorp/aws`: `TF_PLUGIN_MIRROR`, else one beside the toolchain.
    static let mirror: String? = {
        if let named = ProcessInfo.processInfo.environment["TF_PLUGIN_MIRROR"] { return named }
        let programs = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/swift" }
        for program in programs where FileManager.default.isExecutableFile(atPath: program) {
            // …/TOOLCHAIN/usr/bin/swift
            let real = URL(fileURLWithPath: program).resolvingSymlinksInPath()
            let beside = real.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            for name in (try? FileManager.default.contentsOfDirectory(atPath: beside.path)) ?? [] {
                let folder = beside.appendingPathComponent(name)
                if FileManager.default.fileExists(atPath: folder.appendingPathComponent("registry.terraform.io/hashicorp/aws").path) { return folder.path }
            }
        }
        return nil
    }()
    static let program: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/terraform" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private static func terraform(_ rig: ServiceRig, _ address: String, _ arguments: [String]) async throws -> (exit: GuardedProcess.Exit, said: String) {
        var variables: [String: String?] = [
            "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1",
        ]
        for (name, value) in rig.keys { variables[name] = value }
        let process = try await GuardedProcess.start(
            program ?? "terraform", ["-chdir=\(rig.folder.appending("tf").string)"] + arguments, environment: variables, workingDirectory: rig.folder)
        let exit = try await withTimeLimit(.seconds(500), "terraform \(arguments) still runs:\n\(process.standardOutput.tail())") { try await process.wait() }
        return (exit, process.standardOutput.text + process.standardError.text)
    }

    /// A skip is printed and counted as one: "Terraform or its provider is not on this machine".
    @Test(.enabled(if: mirror != nil && program != nil, "Terraform or its aws provider is not on this machine (TF_PLUGIN_MIRROR names its folder)"))
    func applyPlanDestroy() async throws {
        try await withServers(isIdle: true) { source, target in
            for server in [source, target] { try await server.sql("CREATE USER mover IDENTIFIED BY 'a secret & more'; GRANT ALL ON *.* TO mover WITH GRANT OPTION") }
            try await source.sql("CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY, v INT); INSERT INTO app.t VALUES (1, 1), (2, 2)")
            try await ServiceRig.with { rig in
                let authority = try CertificateFactory(folder: rig.folder).caFile
                let folder = rig.folder.appending("tf")
                try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
                try Self.configuration(source: source.port, target: target.port, certificate: authority)
                    .write(toFile: folder.appending("main.tf").string, atomically: true, encoding: .utf8)
                let service = try await rig.serve()
                func step(_ arguments: [String], exit: Int32 = 0) async throws {
                    let (ended, said) = try await Self.terraform(rig, service.address, arguments)
                    if ended != .code(exit) { throw TestingError("terraform \(arguments): \(ended)\n\(said)") }
                }
                try await step(["init", "-plugin-dir=\(Self.mirror ?? "")", "-input=false"])
                try await step(["apply", "-auto-approve", "-input=false"])
                // 2 would be a drift.
                try await step(["plan", "-detailed-exitcode", "-input=false"])
                try await source.sql("INSERT INTO app.t VALUES (3, 3)")
                let arrived = try await withTimeLimit(.seconds(60), "the task that Terraform started moves nothing") {
                    // The task is running, not necessarily loaded.
                    while try await target.value("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app'") == "0" {}
                    while try await target.value("SELECT COUNT(*) FROM app.t") != "3" {}
                    return true
                }
                #expect(arrived)
                try await step(["destroy", "-auto-approve", "-input=false"])
                let left = try await Self.terraform(rig, service.address, ["state", "list"])
                #expect(!left.said.contains("aws_dms"))
                service.process.interrupt()
                #expect(try await service.process.exit() == .code(0))
            }
        }
    }

    private static func configuration(source: Int, target: Int, certificate: String) -> String {
        func endpoint(_ name: String, _ port: Int) -> String {
            """
            resource "aws_dms_endpoint" "\(name)" {
              endpoint_id                 = "\(name)"
              endpoint_type               = "\(name)"
              engine_name                 = "mysql"
              server_name                 = "127.0.0.1"
              port                        = \(port)
              username                    = "mover"
              password                    = "a secret & more"
              ssl_mode                    = "require"
              extra_connection_attributes = "eventsPollInterval=1"
            }

            """
        }
        return """
            terraform {
              required_providers {
                aws = { source = "hashicorp/aws" }
              }
            }
            provider "aws" {}

            resource "aws_dms_certificate" "ca" {
              certificate_id  = "ca"
              certificate_pem = file("\(certificate)")
            }
            resource "aws_dms_replication_subnet_group" "group" {
              replication_subnet_group_id          = "group"
              replication_subnet_group_description = "two subnets"
              subnet_ids                           = ["subnet-a", "subnet-b"]
              tags                                 = { team = "move" }
            }
            resource "aws_dms_replication_instance" "worker" {
              replication_instance_id     = "worker"
              replication_instance_class  = "dms.t3.medium"
              allocated_storage           = 50
              replication_subnet_group_id = aws_dms_replication_subnet_group.group.id
            }
            \(endpoint("source", source))\(endpoint("target", target))
            resource "aws_dms_replication_task" "move" {
              replication_task_id       = "move"
              migration_type            = "full-load-and-cdc"
              replication_instance_arn  = aws_dms_replication_instance.worker.replication_instance_arn
              source_endpoint_arn       = aws_dms_endpoint.source.endpoint_arn
              target_endpoint_arn       = aws_dms_endpoint.target.endpoint_arn
              start_replication_task    = true
              replication_task_settings = jsonencode({ ValidationSettings = { EnableValidation = true } })
              table_mappings = jsonencode({ rules = [{
                rule-type      = "selection", rule-id = "1", rule-name = "1", rule-action = "include"
                object-locator = { schema-name = "app", table-name = "%" }
              }] })
            }
            """
    }
}
