using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter;

/// <summary>Matches the ends of a packet: for rules that the program around the stack makes. What is null matches everything.</summary>
public sealed class FlowMatch : FilterExpression
{
    /// <summary>Its protocol.</summary>
    public IpProtocol? Protocol { get; init; }

    /// <summary>Its source.</summary>
    public IpAddress? Source { get; init; }

    /// <summary>Its destination.</summary>
    public IpAddress? Destination { get; init; }

    /// <summary>Its source port.</summary>
    public ushort? SourcePort { get; init; }

    /// <summary>Its destination port.</summary>
    public ushort? DestinationPort { get; init; }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        bool matches = (Protocol is null || Protocol == packet.Protocol) && (Source is null || Source == packet.Source) && (Destination is null || Destination == packet.Destination);
        if (matches && (SourcePort is not null || DestinationPort is not null))
        {
            matches = packet.TryReadPorts(out ushort source, out ushort destination) && (SourcePort is null || SourcePort == source) && (DestinationPort is null || DestinationPort == destination);
        }

        return matches ? FilterStep.Continue : FilterStep.Break;
    }
}
