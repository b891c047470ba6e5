import GodwitTesting
import Testing

/// Godwit's own validation against a Godwit that makes mistakes on purpose (`Fault`, debug builds only): each is reported, and nothing
/// ends as if all were well.
@Suite struct SabotageTests {
    @Test func everyMistakeIsReported() async throws {
        try await MigrationRig.with { rig in
            try rig.plan(tables: "{ include: [\"f.*\"] }", extra: "task: { FullLoadSettings: { CommitRate: 10 } }")
            for fault in [
                "skip-row", "swap-images", "drop-last-event", "wrong-order", "chunk-bound", "ignore-delete", "lose-null",
            ] {
                try await rig.source.sql(
                    """
                    DROP DATABASE IF EXISTS f; CREATE DATABASE f;
                    CREATE TABLE f.t (id INT PRIMARY KEY, n INT NULL, v VARCHAR(20) NULL);
                    SET SESSION cte_max_recursion_depth = 1000;
                    INSERT INTO f.t WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 45) SELECT i, i, 'v' FROM s
                    """)
                try await rig.target.sql("DROP DATABASE IF EXISTS f; DROP DATABASE IF EXISTS godwit")
                let isLoads = fault == "chunk-bound"
                if !isLoads { try await rig.godwit(["migrate", "--until", "validated"]) }
                try await rig.source.sql(
                    """
                    BEGIN; INSERT INTO f.t VALUES (101, 1, 'x'), (102, 2, 'y'); UPDATE f.t SET n = n + 1 WHERE id <= 5;
                    UPDATE f.t SET n = n + 1 WHERE id <= 5; DELETE FROM f.t WHERE id = 7; UPDATE f.t SET n = NULL WHERE id = 8; COMMIT
                    """)
                let run = try await GodwitProcess.run(
                    ["migrate", "--until", "validated", "--json"], in: rig.folder, environment: ["GODWIT_FAULT": fault])
                let output = run.output.joined(separator: "\n") + run.errors.joined(separator: "\n")
                #expect(run.exit == .code(4), "\(fault): \(output.suffix(3000))")
                #expect(output.contains("Mismatched records"), "\(fault): \(output.suffix(3000))")
                let differences = try await TableFingerprint.differences(of: "f", on: rig.source, and: rig.target)
                #expect(!differences.isEmpty, "\(fault) has done no harm")
            }
        }
    }
}
