import Testing

/// All suites that start servers, one server after the other: side by side they only slow each other down.
@Suite(.serialized) enum RealServers {}
