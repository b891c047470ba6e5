/// Why a request is not accepted as signed. The names are the faults that AWS's own services answer with.
package enum SignatureError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No signature at all.
    case missingAuthenticationToken
    /// A signature whose parts do not fit together.
    case incompleteSignature(String)
    /// The access key is not known here.
    case unrecognizedClient
    /// A date outside of the accepted window, or a presigned request past its time.
    case expired(String)
    /// The signature is not the one that the request's content gives.
    case mismatch

    /// Name of the fault, as clients look at it.
    package var fault: String {
        switch self {
        case .missingAuthenticationToken: "MissingAuthenticationTokenException"
        case .incompleteSignature: "IncompleteSignatureException"
        case .unrecognizedClient: "UnrecognizedClientException"
        case .expired, .mismatch: "InvalidSignatureException"
        }
    }

    package var description: String {
        switch self {
        case .missingAuthenticationToken: "Missing Authentication Token"
        case .incompleteSignature(let reason): reason
        case .unrecognizedClient: "The security token included in the request is invalid."
        case .expired(let reason): reason
        case .mismatch:
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
        }
    }
}
