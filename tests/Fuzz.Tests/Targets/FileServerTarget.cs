using Moat.NineP;

namespace Moat.Fuzz.Targets;

/// <summary>A client of the file server that does not keep to the rules: the parts of a script are its messages, after it has attached. The server leaves no file behind.</summary>
internal sealed class FileServerTarget : FuzzTarget
{
    private const byte IsRaw = 1; // the size of the message too is the script's

    /// <inheritdoc/>
    public override string Name => "file-server";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        byte[] walk = Message(NinePMessageType.Twalk, static writer => Walk(writer, 1, 2, "directory", "file"));
        byte[] open = Message(NinePMessageType.Tlopen, static writer => Numbers(writer, 2, 0));
        byte[] read = Message(NinePMessageType.Tread, static writer =>
        {
            Numbers(writer, 2, 0, 0);
            writer.UInt32(100);
        });
        byte[] write = Message(NinePMessageType.Twrite, static writer =>
        {
            Numbers(writer, 2, 0, 0);
            writer.UInt32(5);
            writer.Bytes("hello"u8);
        });
        List<byte[]> seeds =
        [
            Script.Of([(0, walk), (0, open), (0, read), (0, write), (0, Message(NinePMessageType.Tclunk, static writer => Numbers(writer, 2)))]),
            Script.Of([(0, Message(NinePMessageType.Twalk, static writer => Walk(writer, 1, 1, "directory", "..", "directory"))), (0, Message(NinePMessageType.Tlopen, static writer => Numbers(writer, 1, 0))), (0, Message(NinePMessageType.Treaddir, static writer => Numbers(writer, 1, 0, 0, 4000)))]),
            Script.Of([(IsRaw, [7, 0, 0, 0, 100, 1, 0])]),
        ];
        foreach (NinePMessageType type in (NinePMessageType[])[NinePMessageType.Tlookup, NinePMessageType.Topenat, NinePMessageType.Tmkdir, NinePMessageType.Tcreateat, NinePMessageType.Tlcreate, NinePMessageType.Tunlinkat])
        {
            seeds.Add(Script.Of([(0, Message(type, static writer =>
            {
                Numbers(writer, 1);
                writer.String("file");
                Numbers(writer, 0, 0x1a4, 0, 0);
            }))]));
        }

        seeds.Add(Script.Of([(0, Message(NinePMessageType.Tsymlink, static writer => Named(writer, "new", "target", 0))), (0, Message(NinePMessageType.Trenameat, static writer => Named(writer, "file", null, 1, "other")))]));
        seeds.Add(Script.Of([(0, Message(NinePMessageType.Tlist, static writer => Listed(writer, 5, "directory"))), (0, Message(NinePMessageType.Tlist, static writer => Listed(writer, uint.MaxValue, "")))]));
        seeds.Add(Script.Of([(0, Message(NinePMessageType.Tlookuppath, static writer => Names(writer, "directory", "directory", "link")))]));
        seeds.Add(Script.Of([(0, Message(NinePMessageType.Topenmany, static writer =>
        {
            Numbers(writer, 1);
            Names(writer, "file", "link");
        }))]));
        seeds.Add(Script.Of([(0, Message(NinePMessageType.Tgetattr, static writer => Numbers(writer, 1, 0x7ff, 0))), (0, Message(NinePMessageType.Tstatfs, static writer => Numbers(writer, 1))), (0, Message(NinePMessageType.Tsetattr, static writer => Numbers(writer, new uint[15])))]));
        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        ScriptTransport transport = new();
        transport.Say(Message(NinePMessageType.Tversion, static writer =>
        {
            writer.UInt32(8192);
            writer.String(NinePVersion.Extended);
        }));
        transport.Say(Message(NinePMessageType.Tattach, static writer =>
        {
            Numbers(writer, 1, uint.MaxValue);
            writer.String("");
            writer.String("");
            writer.UInt32(0);
        }));
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> bytes))
        {
            if ((operation & IsRaw) != 0)
            {
                transport.SayRaw(bytes);
            }
            else
            {
                transport.Say(bytes);
            }
        }

        using FakeFile root = new();
        _ = new NinePServer(transport, root).Run();
        Assert.Equal(1, root.OpenCount);
    }

    private static byte[] Message(NinePMessageType type, Action<NinePWriter> fields)
    {
        NinePWriter writer = new(1024);
        writer.Begin((byte)type, 1);
        fields(writer);
        return writer.End()[sizeof(int)..].ToArray();
    }

    private static void Numbers(NinePWriter writer, params ReadOnlySpan<uint> values)
    {
        foreach (uint value in values)
        {
            writer.UInt32(value);
        }
    }

    private static void Walk(NinePWriter writer, uint fid, uint newFid, params ReadOnlySpan<string> names)
    {
        Numbers(writer, fid, newFid);
        Names(writer, names, hasFid: false);
    }

    private static void Names(NinePWriter writer, params ReadOnlySpan<string> names) => Names(writer, names, hasFid: true);

    private static void Names(NinePWriter writer, ReadOnlySpan<string> names, bool hasFid)
    {
        if (hasFid)
        {
            writer.UInt32(1);
        }

        writer.UInt16((ushort)names.Length);
        foreach (string name in names)
        {
            writer.String(name);
        }
    }

    private static void Named(NinePWriter writer, string name, string? target, uint number, string? newName = null)
    {
        writer.UInt32(1);
        writer.String(name);
        if (target is not null)
        {
            writer.String(target);
        }

        writer.UInt32(number);
        if (newName is not null)
        {
            writer.String(newName);
        }
    }

    private static void Listed(NinePWriter writer, uint newFid, string name)
    {
        Numbers(writer, 1, newFid);
        writer.String(name);
        Numbers(writer, 0, 0, 100);
    }
}
