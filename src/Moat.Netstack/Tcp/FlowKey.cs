using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The two ends of a connection.</summary>
/// <param name="Local">This one.</param>
/// <param name="Remote">The peer.</param>
public readonly record struct FlowKey(IpEndpoint Local, IpEndpoint Remote)
{
    /// <summary>As <c>local -> remote</c>.</summary>
    public override string ToString() => $"{Local} -> {Remote}";
}
