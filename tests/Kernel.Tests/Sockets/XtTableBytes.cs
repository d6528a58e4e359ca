using System.Buffers.Binary;
using System.Text;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Kernel.Tests.Sockets;

/// <summary>A filter table of iptables as a guest hands it over, with jumps, matches and a target in its OUTPUT chain.</summary>
internal static class XtTableBytes
{
    /// <summary>Its rules, where its hooks begin, and how many rules there are.</summary>
    public static (byte[] Entries, int[] Hooks, int Count) Make(XtLayout layout)
    {
        List<byte> entries = [];
        int[] hooks = new int[XtLayout.Hooks];
        int count = 0;
        void Add(byte protocol, (string Name, byte Revision, byte[] Data)[] matches, string target, byte[] data)
        {
            byte[] head = new byte[layout.Entry];
            byte[] body = [.. matches.SelectMany(static match => Extension(match.Name, match.Revision, match.Data))];
            byte[] to = Extension(target, 0, data);
            head[layout.Protocol] = protocol;
            head[layout.Flags] = layout.IsV6 && protocol != 0 ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(layout.TargetOffset), (ushort)(head.Length + body.Length));
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(layout.TargetOffset + 2), (ushort)(head.Length + body.Length + to.Length));
            entries.AddRange([.. head, .. body, .. to]);
            count++;
        }

        byte[] Verdict(int verdict) => [.. BitConverter.GetBytes(verdict), 0, 0, 0, 0];
        byte[] tcp = [0, 0, 255, 255, 80, 0, 90, 0, 0, 2, 2, 0, 0, 0, 0, 0];
        byte[] udp = [0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] tracking = new byte[168];
        (tracking[146], tracking[150]) = (1, 14);
        byte[] limit = new byte[40];
        (limit[0], limit[4]) = (100, 5);
        int standard = layout.Entry + XtLayout.StandardTarget;
        int error = layout.Entry + XtLayout.ErrorTarget;
        foreach (FilterHook hook in XtTableKind.All[0].Hooks)
        {
            hooks[(int)hook] = entries.Count;
            Add(0, [], "", Verdict(-2));
        }

        // The policies are unconditional rules, so what follows is reached by a jump from the first of them that a mutation makes one.
        int chain = (3 * standard) + error;
        Add(0, [], "ERROR", new byte[32]);
        Add(6, [("tcp", 0, tcp), ("conntrack", 3, tracking)], "", Verdict(-1));
        Add(17, [("udp", 0, udp), ("limit", 0, limit)], "", Verdict(-5));
        Add(0, [("comment", 0, new byte[256])], "REJECT", [3, 0, 0, 0, 0, 0, 0, 0]);
        Add(0, [], "", Verdict(chain));
        Add(0, [], "ERROR", new byte[32]);
        return ([.. entries], hooks, count);
    }

    private static byte[] Extension(string name, byte revision, byte[] data)
    {
        byte[] bytes = new byte[XtLayout.ExtensionHeader + data.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)bytes.Length);
        Encoding.ASCII.GetBytes(name, bytes.AsSpan(2));
        bytes[31] = revision;
        data.CopyTo(bytes, XtLayout.ExtensionHeader);
        return bytes;
    }
}
