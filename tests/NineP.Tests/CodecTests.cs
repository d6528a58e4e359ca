using CsCheck;
using Moat.Linux;

namespace Moat.NineP.Tests;

public sealed class CodecTests
{
    [Fact]
    public void Message_HasSizeTypeAndTagInLittleEndian()
    {
        NinePWriter writer = new(64);
        writer.Begin((byte)NinePMessageType.Tversion, 0xffff);
        writer.UInt32(8192);
        writer.String("9P2000.L");
        Assert.Equal("15000000" + "64" + "FFFF" + "00200000" + "0800" + "39503230" + "30302E4C", Convert.ToHexString(writer.End()));
    }

    [Fact]
    public void Fields_ComeBackAsTheyWent() => Gen.Select(Gen.Byte, Gen.UShort, Gen.UInt, Gen.ULong, Gen.Byte.Array[0, 300]).Sample((one, two, four, eight, bytes) =>
    {
        NinePWriter writer = new(4096);
        writer.Begin(1, 1);
        writer.Byte(one);
        writer.UInt16(two);
        writer.UInt32(four);
        writer.UInt64(eight);
        writer.String(bytes);
        writer.Qid(new Qid(one, four, eight));
        NinePReader reader = new(writer.End()[NinePWriter.HeaderSize..]);
        Assert.Equal(one, reader.Byte());
        Assert.Equal(two, reader.UInt16());
        Assert.Equal(four, reader.UInt32());
        Assert.Equal(eight, reader.UInt64());
        Assert.Equal(bytes, reader.String().ToArray());
        Assert.Equal(new Qid(one, four, eight), reader.Qid());
        Assert.False(reader.IsMalformed);
        Assert.Equal(0, reader.Remaining);
    });

    [Fact]
    public void Attributes_ComeBackAsTheyWent() => Gen.Select(Gen.UInt, Gen.UInt, Gen.ULong, Gen.ULong, Gen.Long[0, long.MaxValue]).Sample((uid, gid, size, links, seconds) =>
    {
        NinePAttributes attributes = new()
        {
            Qid = new Qid(0x80, uid, size),
            Mode = Mode.S_IFDIR | (Mode)0x1ED,
            Uid = uid,
            Gid = gid,
            LinkCount = links,
            Size = size,
            BlockSize = 4096,
            Blocks = links,
            AccessTime = new Timespec(seconds, 1),
            ModifyTime = new Timespec(seconds, 2),
            ChangeTime = new Timespec(seconds, 999_999_999),
        };
        NinePWriter writer = new(4096);
        writer.Begin(25, 1);
        attributes.Write(writer);
        ReadOnlySpan<byte> body = writer.End()[NinePWriter.HeaderSize..];
        Assert.Equal(153, body.Length); // Rgetattr is 160 bytes
        NinePReader reader = new(body);
        NinePAttributes back = NinePAttributes.Read(ref reader);
        Assert.False(reader.IsMalformed);
        Assert.Equal(attributes, back);
    });

    [Fact]
    public void Reader_OnAnyBytes_NeverReadsBeyondThem() => Gen.Byte.Array[0, 64].Sample(bytes =>
    {
        NinePReader reader = new(bytes);
        while (!reader.IsMalformed)
        {
            ReadOnlySpan<byte> text = reader.String();
            Assert.True(text.Length <= bytes.Length);
            reader.Qid();
        }

        Assert.Equal(0, reader.Remaining);
        Assert.Equal(0UL, reader.UInt64());
    });

    [Fact]
    public void Reader_BeyondTheEnd_GivesZeroAndSaysSo()
    {
        NinePReader reader = new([1, 2, 3]);
        Assert.Equal(0u, reader.UInt32());
        Assert.True(reader.IsMalformed);
        Assert.Equal(0, reader.Byte());
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(6u)]
    [InlineData((uint)NinePServer.MaxMessage + 1)]
    [InlineData(uint.MaxValue)]
    public void Stream_WithASizeNoMessageHas_IsNotCut(uint size)
    {
        (MemoryTransport first, MemoryTransport second) = MemoryTransport.CreatePair();
        using (first)
        using (second)
        {
            byte[] header = new byte[7];
            BitConverter.TryWriteBytes(header, size);
            first.Send(header, []);
            Assert.Equal(Errno.EBADMSG, new NinePStream(second, NinePServer.MaxMessage).Receive([], out _));
        }
    }
}
