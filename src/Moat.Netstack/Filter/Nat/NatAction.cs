using Moat.Netstack.Interfaces;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Nat;

/// <summary>DNAT, SNAT, MASQUERADE and REDIRECT: sets how a connection's addresses are changed, in a chain of the kind nat.</summary>
/// <param name="kind">Which.</param>
/// <param name="range">What to.</param>
public sealed class NatAction(NatKind kind, NatRange range) : FilterExpression
{
    /// <inheritdoc/>
    public override bool NeedsTracking => true;

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet) => Apply(ref packet, kind, range);

    /// <summary>Carries one out.</summary>
    /// <returns>Accept; Drop if there is no address to change to.</returns>
    public static FilterStep Apply(ref FilterPacket packet, NatKind kind, in NatRange range)
    {
        if (packet.Packet.Flow is not { } flow || packet.Packet.FlowState is not (PacketFlowState.New or PacketFlowState.Related))
        {
            return FilterStep.Accept;
        }

        NatRange wanted = range;
        switch (kind)
        {
            case NatKind.Masquerade:
                if (packet.Output?.SelectSource(packet.Destination) is not { } own)
                {
                    return FilterStep.Drop;
                }

                wanted = range with { Flags = range.Flags | NatFlags.Addresses, MinAddress = own, MaxAddress = own };
                break;
            case NatKind.Redirect:
                if (LocalAddress(ref packet) is not { } here)
                {
                    return FilterStep.Drop;
                }

                wanted = range with { Flags = range.Flags | NatFlags.Addresses, MinAddress = here, MaxAddress = here };
                break;
        }

        packet.Stack.Filter.Nat.Set(flow, wanted, kind is NatKind.Source or NatKind.Masquerade);
        return FilterStep.Accept;
    }

    private static IpAddress? LocalAddress(ref FilterPacket packet)
    {
        if (packet.Hook == FilterHook.Output)
        {
            return packet.IsV6 ? IpAddress.LoopbackV6 : IpAddress.LoopbackV4;
        }

        foreach (InterfaceAddress address in packet.Input?.Addresses ?? [])
        {
            if (address.Address.IsV4 != packet.IsV6)
            {
                return address.Address;
            }
        }

        return null;
    }
}
