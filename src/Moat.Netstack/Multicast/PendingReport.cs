namespace Moat.Netstack.Multicast;

/// <summary>What is to be told about a group.</summary>
/// <param name="DueNs">When.</param>
/// <param name="Left">How many more times.</param>
/// <param name="Leaves">Whether nobody listens any more.</param>
/// <param name="IsAnswer">Whether it answers a query rather than telling of a change.</param>
internal readonly record struct PendingReport(long DueNs, int Left, bool Leaves, bool IsAnswer);
