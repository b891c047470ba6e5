import ArgumentParser

/// The root of the command line.
struct GodwitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "godwit",
        abstract: "Move a live MySQL to another server without stopping it.",
        discussion: """
            Start with `godwit init`, then `godwit check` and `godwit migrate`.

            Exit codes: 0 done, 1 failed, 2 usage or plan error (also: a table refused, before any write), \
            3 stopped and resumable, 4 compared and unequal.
            """,
        version: "godwit \(Version.number)",
        subcommands: [
            InitCommand.self, CheckCommand.self, MigrateCommand.self, StatusCommand.self, PauseCommand.self,
            ResumeCommand.self, CutoverCommand.self, VerifyCommand.self, DiagnoseCommand.self,
            BinlogCommand.self,
            ReloadCommand.self, RollbackCommand.self, CleanupCommand.self, SourceCommand.self, TargetCommand.self,
            ServeCommand.self, KeysCommand.self,
        ]
    )
}
