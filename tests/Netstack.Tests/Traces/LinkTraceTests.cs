using System.Runtime.CompilerServices;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Traces;

/// <summary>What hosts say to each other below TCP, frame by frame: who is where, fragments, groups.</summary>
public sealed class LinkTraceTests : IDisposable
{
    private static readonly IpAddress s_leftV6 = IpAddress.Parse("2001:db8::1");
    private static readonly IpAddress s_rightV6 = IpAddress.Parse("2001:db8::2");

    private readonly ConnectedPair _pair = new(connect: false);
    private readonly LinkTrace _trace;
    private readonly UdpSocket _v4;
    private readonly UdpSocket _v6;

    public LinkTraceTests()
    {
        _trace = new LinkTrace(_pair.Network, _pair.LeftLink, _pair.RightLink);
        Assert.Equal(NetError.None, _pair.Left.AddAddress(_pair.Left.Interfaces[1], new InterfaceAddress(s_leftV6, 64, null)));
        Assert.Equal(NetError.None, _pair.Right.AddAddress(_pair.Right.Interfaces[1], new InterfaceAddress(s_rightV6, 64, null)));
        _pair.Wait(60_000);
        _trace.Clear();
        _v4 = new UdpSocket(_pair.Left.Udp, isV6: false, new NoObserver());
        _v6 = new UdpSocket(_pair.Left.Udp, isV6: true, new NoObserver());
    }

    public void Dispose()
    {
        _v4.Dispose();
        _v6.Dispose();
        _pair.Dispose();
    }

    [Fact]
    public void Arp_AsksOnce_AndWhoWasSilentForLongAgain()
    {
        SendV4(ConnectedPair.RightAddress, 10);
        SendV4(ConnectedPair.RightAddress, 20); // waits with it
        _pair.Wait(40_000);
        _trace.Say("stale: it is used, and confirmed later");
        SendV4(ConnectedPair.RightAddress, 30);
        _pair.Wait(10_000);
        Check();
    }

    [Fact]
    public void Arp_OfNobody_IsAskedThreeTimes()
    {
        SendV4(IpAddress.Parse("198.51.100.77"), 10);
        _pair.Wait(10_000);
        Check();
    }

    [Fact]
    public void NeighborDiscovery_AsksTheGroup_ThenTheHost()
    {
        SendV6(s_rightV6, 10);
        _pair.Wait(40_000);
        _trace.Say("stale: it is used, and confirmed later");
        SendV6(s_rightV6, 30);
        _pair.Wait(10_000);
        _pair.Wait(40_000);
        _trace.Say("it has gone");
        _trace.Loses = static frame => frame[11] == 5; // what the left sends
        SendV6(s_rightV6, 40);
        _pair.Wait(20_000);
        SendV6(s_rightV6, 50);
        _pair.Wait(10_000);
        Check();
    }

    [Fact]
    public void Datagrams_LargerThanTheLink_GoInFragments()
    {
        SendV4(ConnectedPair.RightAddress, 4000);
        SendV6(s_rightV6, 4000);
        _pair.Wait(100);
        SendV4(ConnectedPair.RightAddress, 1472); // just fits
        SendV4(ConnectedPair.RightAddress, 1473);
        SendV6(s_rightV6, 1452);
        SendV6(s_rightV6, 1453);
        _pair.Wait(100);
        Check();
    }

    [Fact]
    public void FragmentThatIsLost_IsComplainedOf()
    {
        SendV4(ConnectedPair.RightAddress, 10);
        SendV6(s_rightV6, 10);
        _pair.Wait(100);
        _trace.Clear();
        bool isSecond = false;
        _trace.Loses = frame => frame.Length > 1000 && (isSecond = !isSecond) == false;
        SendV4(ConnectedPair.RightAddress, 2900);
        SendV6(s_rightV6, 2800);
        _pair.Wait(1000);
        _trace.Loses = static _ => false;
        _pair.Wait(40_000);
        Check();
    }

    [Fact]
    public void Groups_AreReported_WhenJoined_Asked_AndLeft()
    {
        NetworkInterface own = _pair.Left.Interfaces[1];
        IpAddress v4 = IpAddress.Parse("239.1.2.3");
        IpAddress v6 = IpAddress.Parse("ff15::1");
        Assert.Equal(NetError.None, own.Groups.Join(v4));
        Assert.Equal(NetError.None, own.Groups.Join(v6));
        _pair.Wait(10_000);
        _trace.Say("a general query of each");
        Deliver("01005e000001", "0800", "46c00024000000000102" + "0000" + "c6336402" + "e0000001" + "94040000", "1164" + "0000" + "00000000" + "027d0000");
        Deliver("333300000001", "86dd", "60000000002400" + "01" + "fe800000000000000000000000000002" + "ff020000000000000000000000000001" + "3a00050200000000", "8200" + "0000" + "03e80000" + "00000000000000000000000000000000" + "027d0000");
        _pair.Wait(20_000);
        _trace.Say("left");
        own.Groups.Leave(v4);
        own.Groups.Leave(v6);
        _pair.Wait(10_000);
        Check();
    }

    private void Deliver(string to, string type, string header, string message)
    {
        byte[] frame = Convert.FromHexString(to + "020000000666" + type + header + message);
        byte[] payload = Convert.FromHexString(message);
        int offset = frame.Length - payload.Length;
        bool isV6 = type == "86dd";
        InternetChecksum checksum = isV6 ? InternetChecksum.OfPseudoHeader(IpAddress.FromBytes(frame.AsSpan(22, 16)), IpAddress.FromBytes(frame.AsSpan(38, 16)), IpProtocol.IcmpV6, payload.Length) : default;
        checksum.Add(payload);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(offset + 2), checksum.Value);
        if (!isV6)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), InternetChecksum.Of(frame.AsSpan(14, 24)));
        }

        _pair.LeftLink.Deliver(frame);
    }

    private void SendV4(IpAddress to, int length) => Send(_v4, to, length);

    private void SendV6(IpAddress to, int length) => Send(_v6, to, length);

    private void Send(UdpSocket socket, IpAddress to, int length)
    {
        SpanSource source = new(new byte[length]);
        Assert.Equal(NetError.None, socket.Send(ref source, new IpEndpoint(to, 9), default, out _));
        _pair.Left.Flush();
    }

    private void Check([CallerMemberName] string test = "") => GoldenTrace.AssertIs(_trace.Text, test);
}
