/// The tables of schema `godwit` on the target: all that must agree with the data. Rows are keyed by task, so that
/// several tasks may share a target. Every statement may run again.
package enum TargetSchema {
    package static let name = "godwit"

    package static let statements: [String] = [
        "CREATE DATABASE IF NOT EXISTS `godwit` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        // Read FOR SHARE at the start of every transaction of a runner: who took the task over since, and how far is it?
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`fence` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `epoch` BIGINT UNSIGNED NOT NULL,
          `phase` VARCHAR(32) NOT NULL
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`task` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `source_uuid` VARCHAR(64) NOT NULL,
          `plan` LONGTEXT NOT NULL,
          `p0` LONGTEXT NULL,
          `p1_file` VARCHAR(255) NULL,
          `p1_offset` BIGINT UNSIGNED NULL,
          `created_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        // Advanced by compare and set in the transaction that writes the data.
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`checkpoint` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `seq` BIGINT UNSIGNED NOT NULL,
          `position` LONGTEXT NOT NULL,
          `commit_us` BIGINT UNSIGNED NOT NULL DEFAULT 0
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`tables` (
          `task` VARCHAR(191) NOT NULL,
          `id` INT UNSIGNED NOT NULL,
          `source_schema` VARCHAR(64) NOT NULL,
          `source_table` VARCHAR(64) NOT NULL,
          `prepared` LONGTEXT NOT NULL,
          `is_prepared` TINYINT NOT NULL DEFAULT 0,
          `is_planned` TINYINT NOT NULL DEFAULT 0,
          `is_indexed` TINYINT NOT NULL DEFAULT 0,
          `p0t` LONGTEXT NULL,
          `load_ms` BIGINT UNSIGNED NOT NULL DEFAULT 0,
          PRIMARY KEY (`task`, `id`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`chunks` (
          `task` VARCHAR(191) NOT NULL,
          `table_id` INT UNSIGNED NOT NULL,
          `number` INT UNSIGNED NOT NULL,
          `bounds` LONGTEXT NOT NULL,
          `done` TINYINT NOT NULL DEFAULT 0,
          `row_count` BIGINT UNSIGNED NOT NULL DEFAULT 0,
          `byte_count` BIGINT UNSIGNED NOT NULL DEFAULT 0,
          PRIMARY KEY (`task`, `table_id`, `number`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        // Tables of the plan that the source has not (any more), and up to where in its log that is known.
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`gone` (
          `task` VARCHAR(191) NOT NULL,
          `source_schema` VARCHAR(64) NOT NULL,
          `source_table` VARCHAR(64) NOT NULL,
          `position` LONGTEXT NOT NULL,
          PRIMARY KEY (`task`, `source_schema`, `source_table`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        // A change of definition that is about to be made: found after a crash, it says whether it was.
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`intent` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `mark` VARCHAR(512) NOT NULL,
          `fingerprint` LONGTEXT NOT NULL,
          `statement` LONGTEXT NOT NULL,
          `at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        // Last snapshot of the runner, for `status` from another terminal.
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`status` (
          `task` VARCHAR(191) NOT NULL PRIMARY KEY,
          `snapshot` LONGTEXT NOT NULL
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`requests` (
          `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
          `task` VARCHAR(191) NOT NULL,
          `command` VARCHAR(512) NOT NULL,
          `answer` TEXT NULL,
          `at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        // The cutover's journal: a step is written here before it is begun and when it is done.
        """
        CREATE TABLE IF NOT EXISTS `godwit`.`cutover` (
          `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
          `task` VARCHAR(191) NOT NULL,
          `step` VARCHAR(64) NOT NULL,
          `state` VARCHAR(16) NOT NULL,
          `detail` LONGTEXT NULL,
          `at_us` BIGINT UNSIGNED NOT NULL,
          KEY (`task`)
        ) ENGINE=InnoDB COLLATE utf8mb4_bin
        """,
        // Rows of prepared XA transactions, and up to where in the log all earlier ones were decided.
        TargetState.xaTable,
        ObjectLedger.createStatement,
        AccountLedger.createStatement,
        SourceContinuity.createStatement,
        AnonymousScan.createStatement,
    ] + TargetState.outcomeStatements
}

/// How far a task is. Stored in the fence row: a transaction of another phase ends by itself.
package enum TaskPhase: String, Sendable, Hashable, Codable, CaseIterable {
    /// Target tables are being made ready.
    case preparing
    /// P0 is stored, chunks are being loaded.
    case loading
    /// P1 is stored, the log is replayed from P0 with absolute images.
    case replaying
    /// At P1: unique keys and foreign keys are being built.
    case indexing
    /// Strict replay: the target is the source at the checkpoint.
    case following
    /// The forward stream is fenced, the cutover is past its drain.
    case fenced
    /// The application runs on the target.
    case cutOver = "cut_over"
}
