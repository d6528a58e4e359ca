using System.Buffers.Binary;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>Tells the routers and switches of a link which groups an interface listens to: IGMPv3 (RFC 3376) and MLDv2 (RFC 3810), and the versions before where a router speaks those. Any thread; its lock is a leaf.</summary>
/// <remarks>Everything is sent on the thread of the timers, so that joining sends nothing under a socket's lock. A group is always reported as listened to from everybody: sockets choose among sources themselves.</remarks>
internal sealed class GroupReports(NetworkStack stack, NetworkInterface owner) : NetTimer
{
    private const int Robustness = 2; // a report may be lost
    private const long RepeatNs = 1_000_000_000; // IGMP_V3_UNSOLICITED_REPORT_INTERVAL
    private const long OldRouterNs = 260_000_000_000; // RFC 3376 section 8.12: without a query of an older version for so long, there is no such router
    private const int MaxPending = 2 * GroupSet.MaxGroups;

    private readonly Lock _lock = new();
    private readonly Dictionary<IpAddress, PendingReport> _pending = []; // guarded by _lock
    private long _oldUntilNs; // guarded by _lock: until when IGMPv2 is spoken
    private long _oldUntilV6Ns; // guarded by _lock: MLDv1

    /// <summary>An interface listens to a group from now on.</summary>
    public void OnJoined(IpAddress group) => Schedule(group, new PendingReport(stack.Host.NowNs, Robustness, Leaves: false, IsAnswer: false));

    /// <summary>It does not any more.</summary>
    public void OnLeft(IpAddress group) => Schedule(group, new PendingReport(stack.Host.NowNs, Robustness, Leaves: true, IsAnswer: false));

    /// <summary>The interface is up: nobody on the link knows anything.</summary>
    public void OnUp()
    {
        foreach ((IpAddress group, int _) in owner.Groups.List)
        {
            OnJoined(group);
        }
    }

    /// <summary>Takes a message of IGMP, whose checksum is right.</summary>
    public void ReceiveIgmp(ReadOnlySpan<byte> message, in IpInfo info)
    {
        const int Length = 8;
        if (message.Length < Length || message[0] != IgmpType.Query || info.TimeToLive != 1)
        {
            return; // reports of others are nobody's concern since version 3
        }

        bool isOld = message.Length == Length;
        long withinNs = isOld && message[1] == 0 ? 10_000_000_000 : TimeOf(message[1], 0x80, 4) * 100_000_000;
        OnQuery(IpAddress.FromBytes(message[4..8]), isOld, withinNs);
    }

    /// <summary>Takes a message of MLD, whose checksum is right.</summary>
    public void ReceiveMld(ReadOnlySpan<byte> message, in IpInfo info)
    {
        const int LengthV1 = 24;
        const int LengthV2 = 28;
        if (message.Length < LengthV1 || message[0] != IcmpV6Type.MulticastListenerQuery || info.TimeToLive != 1 || !info.Source.IsLinkLocal)
        {
            return; // RFC 3810 section 6.2
        }

        bool isOld = message.Length < LengthV2;
        ushort code = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        OnQuery(IpAddress.FromBytes(message[8..24]), isOld, (isOld ? code : TimeOf(code, 0x8000, 12)) * 1_000_000);
    }

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs)
    {
        List<(IpAddress Group, PendingReport Report)> due = [];
        bool isOldV4;
        bool isOldV6;
        lock (_lock)
        {
            foreach ((IpAddress group, PendingReport report) in _pending)
            {
                if (report.DueNs <= nowNs)
                {
                    due.Add((group, report));
                }
            }

            foreach ((IpAddress group, PendingReport report) in due)
            {
                if (report.Left > 1 && owner.IsUp)
                {
                    _pending[group] = report with { DueNs = nowNs + RandomBelow(RepeatNs), Left = report.Left - 1 };
                }
                else
                {
                    _ = _pending.Remove(group);
                }
            }

            (isOldV4, isOldV6) = (nowNs < _oldUntilNs, nowNs < _oldUntilV6Ns);
            ArmLocked();
        }

        if (owner.IsUp)
        {
            GroupReportWriter writer = new(stack, owner);
            writer.Send(due, isV4: true, isOldV4);
            writer.Send(due, isV4: false, isOldV6);
        }
    }

    // RFC 3376 section 4.1.1, RFC 3810 section 5.1.3: small numbers as they are, larger ones with an exponent.
    private static long TimeOf(int code, int marker, int mantissaBits) =>
        code < marker ? code : (long)((code & ((1 << mantissaBits) - 1)) | (1 << mantissaBits)) << (((code >> mantissaBits) & 7) + 3);

    private void OnQuery(IpAddress group, bool isOld, long withinNs)
    {
        long now = stack.Host.NowNs;
        if (isOld)
        {
            lock (_lock)
            {
                if (group.IsV4)
                {
                    _oldUntilNs = now + OldRouterNs;
                }
                else
                {
                    _oldUntilV6Ns = now + OldRouterNs;
                }
            }
        }

        foreach ((IpAddress joined, int _) in owner.Groups.List)
        {
            if (joined.IsV4 == group.IsV4 && (group.IsAny || group == joined))
            {
                Schedule(joined, new PendingReport(now + RandomBelow(withinNs), 1, Leaves: false, IsAnswer: true));
            }
        }
    }

    private void Schedule(IpAddress group, in PendingReport report)
    {
        lock (_lock)
        {
            bool isKnown = _pending.TryGetValue(group, out PendingReport pending);
            if ((isKnown && report.IsAnswer && pending.DueNs <= report.DueNs) || (!isKnown && _pending.Count >= MaxPending))
            {
                return; // what waits says the same sooner; or somebody joins and leaves without end, and may be reported late
            }

            _pending[group] = isKnown && report.IsAnswer ? pending with { DueNs = report.DueNs } : report;
            ArmLocked();
        }
    }

    private void ArmLocked()
    {
        long first = long.MaxValue;
        foreach (PendingReport report in _pending.Values)
        {
            first = Math.Min(first, report.DueNs);
        }

        if (first != long.MaxValue)
        {
            stack.Timers.Set(this, first);
        }
    }

    private long RandomBelow(long limitNs)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        stack.Host.Fill(bytes);
        return limitNs <= 0 ? 0 : (long)(BitConverter.ToUInt64(bytes) % (ulong)limitNs);
    }
}
