using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Nat;

/// <summary>Decides how the addresses of a connection are changed, so that its answers are no other connection's (nf_nat_setup_info).</summary>
internal sealed class NatChooser(NetworkStack stack, FlowTable flows)
{
    private const int MaxAttempts = 128;

    /// <summary>Decides for one side of a connection whose first packet is on its way.</summary>
    /// <param name="flow">The connection, not confirmed yet.</param>
    /// <param name="range">What is wanted.</param>
    /// <param name="isSource">Whether it is about the source or the destination.</param>
    public void Set(TrackedFlow flow, in NatRange range, bool isSource)
    {
        FlowStatus done = isSource ? FlowStatus.SourceNatDone : FlowStatus.DestinationNatDone;
        if (flow.Has(done | FlowStatus.Confirmed))
        {
            return;
        }

        FlowTuple current = flow.Reply.Inverse;
        FlowTuple chosen = Choose(current, range, isSource);
        if (chosen != current)
        {
            flow.Reply = chosen.Inverse;
            flow.Add(isSource ? FlowStatus.SourceNat : FlowStatus.DestinationNat);
        }

        flow.Add(done);
    }

    private FlowTuple Choose(in FlowTuple current, in NatRange range, bool isSource)
    {
        bool isRandom = range.Has(NatFlags.Random | NatFlags.FullyRandom);
        if (isSource && !isRandom && range.Contains(current.Source) && (!HasPorts(current) || range.Contains(current.SourcePort)) && IsFree(current))
        {
            return current;
        }

        FlowTuple chosen = WithAddress(current, range, isSource);
        if (!HasPorts(chosen))
        {
            return chosen;
        }

        ushort port = PortOf(chosen, isSource);
        bool isPinned = range.Has(NatFlags.Ports) && range.MinPort == range.MaxPort;
        if (!isRandom && !range.Has(NatFlags.PortOffset) && range.Contains(port) && (isPinned || IsFree(chosen)))
        {
            return chosen;
        }

        return WithPort(chosen, range, isSource);
    }

    private FlowTuple WithAddress(in FlowTuple tuple, in NatRange range, bool isSource)
    {
        // A range of the other family, or one that ends before it begins, is not what anybody can mean: it is taken for nothing, or for its first address.
        if (!range.Has(NatFlags.Addresses) || range.MinAddress.IsV4 != tuple.Source.IsV4 || range.MaxAddress.IsV4 != tuple.Source.IsV4)
        {
            return tuple;
        }

        IpAddress address = range.MinAddress;
        UInt128 span = range.MaxAddress.Value > range.MinAddress.Value ? range.MaxAddress.Value - range.MinAddress.Value : 0;
        if (range.Has(NatFlags.Prefix))
        {
            address = IpAddress.FromValue(range.MinAddress.Value | ((isSource ? tuple.Source : tuple.Destination).Value & span));
        }
        else if (span != 0)
        {
            // A host keeps its address; with Persistent whatever it talks to.
            int hash = HashCode.Combine(tuple.Source, range.Has(NatFlags.Persistent) ? default : tuple.Destination);
            address = IpAddress.FromValue(range.MinAddress.Value + ((uint)hash % (span == UInt128.MaxValue ? span : span + 1)));
        }

        return isSource ? tuple with { Source = address } : tuple with { Destination = address };
    }

    private FlowTuple WithPort(in FlowTuple tuple, in NatRange range, bool isSource)
    {
        ushort port = PortOf(tuple, isSource);
        int min = range.MinPort;
        int max = range.MaxPort;
        if (!range.Has(NatFlags.Ports))
        {
            if (!isSource && !tuple.IsIcmp)
            {
                return tuple; // the destination's port stays, or it would be another service
            }

            (min, max) = tuple.IsIcmp ? (0, ushort.MaxValue) : port switch
            {
                < 512 => (1, 511),
                < 1024 => (600, 1023),
                _ => (1024, ushort.MaxValue),
            };
        }

        int size = Math.Max(max - min, 0) + 1;
        int offset = range.Has(NatFlags.PortOffset) ? port - range.BasePort : NextRandom();
        FlowTuple chosen = tuple;
        for (int i = 0; i < Math.Min(size, MaxAttempts); i++)
        {
            int position = (int)((uint)(offset + i) % (uint)size);
            chosen = WithPort(tuple, (ushort)(min + position), isSource);
            if (IsFree(chosen))
            {
                break;
            }
        }

        return chosen; // if none is free the connection is not confirmed, and its packet is dropped
    }

    private static bool HasPorts(in FlowTuple tuple) => tuple.IsIcmp || FilterPacket.HasPorts(tuple.Protocol);

    private static ushort PortOf(in FlowTuple tuple, bool isSource) => isSource || tuple.IsIcmp ? tuple.SourcePort : tuple.DestinationPort;

    private static FlowTuple WithPort(in FlowTuple tuple, ushort port, bool isSource) => isSource || tuple.IsIcmp ? tuple with { SourcePort = port } : tuple with { DestinationPort = port };

    private bool IsFree(in FlowTuple tuple) => flows.Find(tuple.Inverse) is null;

    private int NextRandom()
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        stack.Host.Fill(bytes);
        return BitConverter.ToInt32(bytes) & ushort.MaxValue;
    }
}
