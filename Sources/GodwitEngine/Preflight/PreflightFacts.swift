/// Everything that preflight's decisions are made of, read from both servers once. A value: the checks need no server.
package struct PreflightFacts: Sendable {
    package var source: ServerFacts
    package var target: ServerFacts
    /// Included tables of the source.
    package var tables: [TableDefinition]
    /// What the rules say of each of them.
    package var decisions: [TableName: TableDecision]
    package var sourceSchemas: [Catalog.Schema]
    /// Views, routines, events in the schemas of the included tables.
    package var sourceObjects: SchemaObjects
    /// Views and the like whose names the rules include.
    package var includedObjects: Set<TableName>
    /// Those of them that the rules give another name on the target.
    package var renamedObjects: Set<TableName> = []
    package var targetSchemas: Set<String>
    /// Tables of the target that stand where an included table goes, by target name.
    package var found: [TableName: TargetPreparation.Found]
    package var targetObjects: SchemaObjects
    package var preparation: TaskSettings.TablePreparation
    /// Tables that an earlier run of this task has prepared: their rows are Godwit's own.
    package var prepared: Set<TableName>
    /// Schemas that the rules include by name, sorted.
    package var namedSchemas: [String] = []
    /// Kinds of objects that the operator has said stay behind (`without:` in the plan).
    package var without: Set<ObjectKind> = []
    package var block = Plan.Application.Block.readOnly
    /// What keeps writers off the target in a rollback; nil: the plan asks for no way back.
    package var reverseBlock: Plan.Application.Block?
    /// Accounts that `users:` of the plan brings, as far as that can be said before (`user@host`).
    package var movedAccounts: Set<String> = []
    /// What can be said of them before the start, and what reading them lacks.
    package var accountFindings: [Finding] = []
    /// Views, routines, triggers and events in full.
    package var objects = ObjectFacts()

    package init(
        source: ServerFacts, target: ServerFacts, tables: [TableDefinition] = [],
        decisions: [TableName: TableDecision] = [:], sourceSchemas: [Catalog.Schema] = [],
        sourceObjects: SchemaObjects = SchemaObjects(), includedObjects: Set<TableName> = [],
        targetSchemas: Set<String> = [], found: [TableName: TargetPreparation.Found] = [:],
        targetObjects: SchemaObjects = SchemaObjects(), preparation: TaskSettings.TablePreparation = .doNothing,
        prepared: Set<TableName> = []
    ) {
        self.source = source
        self.target = target
        self.tables = tables
        self.decisions = decisions
        self.sourceSchemas = sourceSchemas
        self.sourceObjects = sourceObjects
        self.includedObjects = includedObjects
        self.targetSchemas = targetSchemas
        self.found = found
        self.targetObjects = targetObjects
        self.preparation = preparation
        self.prepared = prepared
    }

    /// Where an included table goes; nil: it does not move.
    package func targetName(_ table: TableName) -> TableName? { decisions[table]?.target }

    /// Schemas that tables go to, sorted.
    package var usedTargetSchemas: [String] { Set(decisions.values.map(\.target.schema)).sorted() }
    package var usedSourceSchemas: [String] { Set(tables.map(\.name.schema)).sorted() }
}

/// What a schema holds beside tables: moved unless the plan says that it stays behind.
package enum ObjectKind: String, Sendable, Hashable, CaseIterable {
    case views, routines, triggers, events
}
