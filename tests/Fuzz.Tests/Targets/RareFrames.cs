using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>Frames that two hosts which get on well do not send each other; their checksums are written when they are used.</summary>
internal static class RareFrames
{
    private const string FromV4 = "c6336401";
    private const string ToV4 = "c6336402";
    private const string FromV6 = "20010db8000000000000000000000001";
    private const string ToV6 = "20010db8000000000000000000000002";

    /// <summary>All of them, to a host.</summary>
    public static IEnumerable<byte[]> All(EthernetAddress to)
    {
        string quotedV4 = "4500003c00010000400600006633640200000000c63364010050c35000000001";
        string quotedV6 = "6000000000200640" + ToV6 + FromV6 + "0050c3500000000100000000";
        string[] v4 =
        [
            V4(1, "0800000012340001" + "6162636465666768"), // echo
            V4(1, "0303000000000000" + quotedV4), // unreachable
            V4(1, "0304000000000500" + quotedV4), // too big
            V4(1, "0c00000014000000" + quotedV4), // parameter problem
            V4(2, "1164000000000000"), // IGMPv2 query
            V4(2, "118c0000ef010203000a0001c0000201"), // IGMPv3 query
            V4(2, "22000000000000010400000000000000"), // report
            V4(6, "c350005000000001000000000b02040000000000" + "020405b4" + "0402" + "080a0000000100000000" + "01030307" + "fefe"), // SYN with options
            V4(17, "003500350010000000000001000000000000"),
            V4(132, "00010002"), // nobody's protocol
            "45000018000020004011" + "0000" + FromV4 + ToV4 + "00350035", // a first fragment
            "4600001c000000004011" + "0000" + FromV4 + ToV4 + "94040000" + "003500350008" + "0000", // options
        ];
        string[] v6 =
        [
            V6(58, "8000000012340001" + "61626364"),
            V6(58, "8700000000000000" + ToV6 + "0101020000000003"), // who has
            V6(58, "8800000060000000" + FromV6 + "0201020000000003"), // here it is
            V6(58, "860000004000070800000000000000000304404000015180000038400000000020010db8000000000000000000000000"), // router
            V6(58, "8900000000000000" + FromV6 + ToV6), // redirect
            V6(58, "0200000000000500" + quotedV6), // too big
            V6(58, "0101000000000000" + quotedV6),
            V6(0, "3a00050200000100" + "8200000003e80000" + "00000000000000000000000000000000" + "027d0000"), // MLDv2 query
            V6(44, "110000010000000700350035000c0000aabbccdd"), // a first fragment
            V6(60, "1100010400000000" + "0035003500080000"), // destination options
            V6(43, "1100000000000000" + "0035003500080000"), // routing header
            V6(6, "c350005000000001000000000a020400000000000101080a0000000100000000030307"),
        ];
        string ethernet = Hex(to) + "020000000003";
        const string Arp = "0806" + "0001080006040001" + "020000000003" + FromV4 + "000000000000" + ToV4;
        return [.. v4.Select(packet => Convert.FromHexString(ethernet + "0800" + packet)), .. v6.Select(packet => Convert.FromHexString(ethernet + "86dd" + packet)), Convert.FromHexString(ethernet + Arp)];
    }

    private static string Hex(EthernetAddress address) => address.ToString().Replace(":", "", StringComparison.Ordinal);

    private static string V4(int protocol, string payload) => $"4500{20 + (payload.Length / 2):x4}0000000040{protocol:x2}0000{FromV4}{ToV4}{payload}";

    private static string V6(int next, string payload) => $"60000000{payload.Length / 2:x4}{next:x2}ff{FromV6}{ToV6}{payload}";
}
