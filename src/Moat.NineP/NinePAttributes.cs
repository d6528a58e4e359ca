using Moat.Linux;

namespace Moat.NineP;

/// <summary>What Rgetattr tells of a file.</summary>
public struct NinePAttributes
{
    /// <summary>P9_GETATTR_BASIC: everything up to the change time.</summary>
    public const ulong Basic = 0x7ff;

    /// <summary>Bytes in a message.</summary>
    internal const int BytesInMessage = 8 + 13 + 12 + (5 * 8) + (4 * 16) + 16;

    public Qid Qid;
    public Mode Mode;
    public uint Uid;
    public uint Gid;
    public ulong LinkCount;
    public ulong SpecialDevice;
    public ulong Size;
    public ulong BlockSize;

    /// <summary>In units of 512 bytes.</summary>
    public ulong Blocks;

    public Timespec AccessTime;
    public Timespec ModifyTime;
    public Timespec ChangeTime;

    /// <summary>Writes the body of Rgetattr.</summary>
    internal readonly void Write(NinePWriter writer)
    {
        writer.UInt64(Basic);
        writer.Qid(Qid);
        writer.UInt32((uint)Mode);
        writer.UInt32(Uid);
        writer.UInt32(Gid);
        writer.UInt64(LinkCount);
        writer.UInt64(SpecialDevice);
        writer.UInt64(Size);
        writer.UInt64(BlockSize);
        writer.UInt64(Blocks);
        writer.Time(AccessTime);
        writer.Time(ModifyTime);
        writer.Time(ChangeTime);
        writer.Time(default); // btime
        writer.UInt64(0); // gen
        writer.UInt64(0); // data_version
    }

    /// <summary>Reads it.</summary>
    internal static NinePAttributes Read(ref NinePReader reader)
    {
        reader.UInt64(); // valid: servers answer with the basic ones at least
        NinePAttributes attributes = new()
        {
            Qid = reader.Qid(),
            Mode = (Mode)reader.UInt32(),
            Uid = reader.UInt32(),
            Gid = reader.UInt32(),
            LinkCount = reader.UInt64(),
            SpecialDevice = reader.UInt64(),
            Size = reader.UInt64(),
            BlockSize = reader.UInt64(),
            Blocks = reader.UInt64(),
            AccessTime = reader.Time(),
            ModifyTime = reader.Time(),
            ChangeTime = reader.Time(),
        };
        reader.Time();
        reader.UInt64();
        reader.UInt64();
        return attributes;
    }
}
