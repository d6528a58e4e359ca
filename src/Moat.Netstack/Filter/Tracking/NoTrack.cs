namespace Moat.Netstack.Filter.Tracking;

/// <summary>Says that a packet belongs to no connection, before anybody has looked.</summary>
public sealed class NoTrack : FilterExpression
{
    /// <inheritdoc/>
    public override bool NeedsTracking => true;

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        if (packet.Packet.FlowState == PacketFlowState.None)
        {
            packet.Packet.FlowState = PacketFlowState.Untracked;
        }

        return FilterStep.Continue;
    }
}
