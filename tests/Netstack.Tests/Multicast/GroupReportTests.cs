using System.Buffers.Binary;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Tests.Autoconfiguration;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Multicast;

/// <summary>How routers are told of groups, byte by byte: as they ask (RFC 2236, RFC 2710, RFC 3376, RFC 3810).</summary>
public sealed class GroupReportTests
{
    private const long SecondNs = 1_000_000_000;
    private const int OldRouterSeconds = 260;
    private const string Group = "efc80101"; // 239.200.1.1
    private const string GroupV6 = "ff050000000000000000000000000123";

    private static readonly IpAddress s_group = IpAddress.Parse("239.200.1.1");
    private static readonly IpAddress s_groupV6 = IpAddress.Parse("ff05::123");

    private readonly SimulatedNetwork _network = new(5);
    private readonly NetworkInterface _eth;
    private readonly SimulatedLink _link;
    private readonly List<string> _messages = []; // destination, a space, and the message without its checksum

    public GroupReportTests()
    {
        NetworkStack stack = _network.AddHost();
        _link = _network.Connect(stack, "198.51.100.1/24", _network.AddHost(), "198.51.100.2/24", new SimulatedPath(DelayNs: 1000)).Left;
        _eth = stack.FindInterface("eth0")!;
        Assert.Equal(NetError.None, stack.AddAddress(_eth, new InterfaceAddress(IpAddress.Parse("fe80::5"), 64, null)));
        Pass(5);
        _link.Drops = frame =>
        {
            Take(frame);
            return true;
        };
    }

    [Fact]
    public void NewVersions_TellOfChangesTwice()
    {
        Join();
        Pass(5);
        Assert.Equal(2, _messages.Count(static line => line == $"e0000016 22000000000104000000{Group}"));
        Assert.Equal(2, _messages.Count(static line => line == $"ff020000000000000000000000000016 8f000000000104000000{GroupV6}"));
        _messages.Clear();
        Leave();
        Pass(5);
        Assert.Equal(2, _messages.Count(static line => line == $"e0000016 22000000000103000000{Group}"));
        Assert.Equal(2, _messages.Count(static line => line == $"ff020000000000000000000000000016 8f000000000103000000{GroupV6}"));
    }

    [Fact]
    public void NewVersions_AnswerQueries()
    {
        Join();
        Pass(5);
        _messages.Clear();
        _link.Deliver(Igmp([0x11, 10, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0]));
        _link.Deliver(Mld([130, 0, 0, 0, 0, 100, 0, 0, .. new byte[16], 2, 125, 0, 0]));
        Pass(3);
        Assert.Single(_messages, static line => line == $"e0000016 22000000000102000000{Group}");
        Assert.Single(_messages, static line => line.StartsWith("ff020000000000000000000000000016 8f", StringComparison.Ordinal) && line.Contains($"02000000{GroupV6}", StringComparison.Ordinal));
    }

    [Fact]
    public void OldQuerierOfIgmp_IsSpokenToAsItSpeaks()
    {
        Join();
        Pass(5);
        _messages.Clear();
        _link.Deliver(Igmp([0x11, 10, 0, 0, 0, 0, 0, 0]));
        Pass(3);
        Assert.Single(_messages, static line => line == $"{Group} 1600{Group}"); // to the group itself
        _messages.Clear();
        Leave();
        Pass(5);
        Assert.Contains($"e0000002 1700{Group}", _messages); // to all routers
        Assert.DoesNotContain(_messages, static line => line.StartsWith("e0000016", StringComparison.Ordinal));
        Assert.Contains(_messages, static line => line.StartsWith("ff020000000000000000000000000016", StringComparison.Ordinal)); // the other version knows nothing of it
        Pass(OldRouterSeconds);
        _messages.Clear();
        Join();
        Pass(5);
        Assert.Contains($"e0000016 22000000000104000000{Group}", _messages);
    }

    [Fact]
    public void OldQuerierOfMld_IsSpokenToAsItSpeaks()
    {
        Join();
        Pass(5);
        _messages.Clear();
        _link.Deliver(Mld([130, 0, 0, 0, 3, 232, 0, 0, .. new byte[16]]));
        Pass(3);
        Assert.Single(_messages, static line => line == $"{GroupV6} 830000000000{GroupV6}");
        _messages.Clear();
        Leave();
        Pass(5);
        Assert.Contains($"ff020000000000000000000000000002 840000000000{GroupV6}", _messages);
        Assert.DoesNotContain(_messages, static line => line.StartsWith("ff020000000000000000000000000016", StringComparison.Ordinal));
        Pass(OldRouterSeconds);
        _messages.Clear();
        Join();
        Pass(5);
        Assert.Contains($"ff020000000000000000000000000016 8f000000000104000000{GroupV6}", _messages);
    }

    [Fact]
    public void QueriesFromElsewhere_AreNotAnswered()
    {
        Join();
        Pass(5);
        _messages.Clear();
        _link.Deliver(Igmp([0x11, 10, 0, 0, 0, 0, 0, 0], hops: 2));
        _link.Deliver(Igmp([0x11, 10, 0, 0, 0, 0, 0]));
        _link.Deliver(RouterFrames.Frame([130, 0, 0, 0, 3, 232, 0, 0, .. new byte[16]], RouterFrames.Router, "ff02::1", hops: 2));
        _link.Deliver(RouterFrames.Frame([130, 0, 0, 0, 3, 232, 0, 0, .. new byte[16]], "2001:db8::1", "ff02::1", hops: 1));
        _link.Deliver(Mld([130, 0, 0, 0, 3, 232, 0, 0, .. new byte[15]]));
        Pass(15);
        Assert.Empty(_messages);
    }

    private void Join()
    {
        _ = _eth.Groups.Join(s_group);
        _ = _eth.Groups.Join(s_groupV6);
    }

    private void Leave()
    {
        _ = _eth.Groups.Leave(s_group);
        _ = _eth.Groups.Leave(s_groupV6);
    }

    private void Pass(int seconds) => _network.RunUntil(static () => false, seconds * SecondNs);

    private static byte[] Mld(byte[] message) => RouterFrames.Frame(message, RouterFrames.Router, "ff02::1", hops: 1);

    private static byte[] Igmp(byte[] message, byte hops = 1)
    {
        byte[] header = [0x45, 0, 0, (byte)(20 + message.Length), 0, 0, 0, 0, hops, 2, 0, 0, 198, 51, 100, 2, 224, 0, 0, 1];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), RouterFrames.Checksum(header));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), RouterFrames.Checksum(message));
        return [1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 0x99, 8, 0, .. header, .. message];
    }

    // Reports of the two groups; those of the interface's own solicited-node group are nothing here.
    private void Take(byte[] frame)
    {
        const int EthernetLength = 14;
        bool isV4 = frame[12] == 8;
        int start = EthernetLength + (isV4 ? (frame[EthernetLength] & 0xf) * 4 : 48); // of IPv6 with a hop-by-hop header
        bool isReport = isV4 ? frame[23] == 2 : frame[20] == 0;
        if (isReport)
        {
            Assert.Equal(1, frame[isV4 ? 22 : 21]); // hops
            Assert.Equal(isV4 ? "94040000" : "3a00050200000100", Convert.ToHexStringLower(isV4 ? frame[34..38] : frame[54..62])); // router alert
            string destination = Convert.ToHexStringLower(isV4 ? frame[30..34] : frame[38..54]);
            _messages.Add($"{destination} {Convert.ToHexStringLower(frame[start..(start + 2)])}{Convert.ToHexStringLower(frame[(start + 4)..])}");
        }
    }
}
