using System.Text;
using CsCheck;
using Moat.Filesystems.Tty;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Kernel.Tests.Terminals;

/// <summary>The line discipline alone; tests/Guest/termios.c compares it with Linux.</summary>
public sealed class LineDisciplineTests
{
    [Theory]
    [InlineData("one\r", "one\n", "one\r\n")]
    [InlineData("ab\u007fc\n", "ac\n", "ab\b \bc\r\n")]
    [InlineData("one two\u0017x\n", "one x\n", "one two\b \b\b \b\b \bx\r\n")]
    [InlineData("abc\u0015d\n", "d\n", "abc\b \b\b \b\b \bd\r\n")]
    [InlineData("a\u0016\u0003\n", "a\u0003\n", "a^\b^C\r\n")]
    [InlineData("abc\t\u007fd\n", "abcd\n", "abc\t\b\b\b\b\bd\r\n")]
    public void Typing_GivesALine_AndItsEcho(string typed, string line, string echo)
    {
        LineDiscipline discipline = new();
        Assert.Equal(SignalSet.Empty, Type(discipline, typed));
        Assert.Equal((line, echo), (Read(discipline), Shown(discipline)));
    }

    [Theory]
    [InlineData("\u0003", Signal.SIGINT)]
    [InlineData("\u001c", Signal.SIGQUIT)]
    [InlineData("\u001a", Signal.SIGTSTP)]
    public void SignalCharacter_RaisesItsSignal_AndDropsWhatWasTyped(string typed, Signal signal)
    {
        LineDiscipline discipline = new();
        Assert.Equal(SignalSet.Of(signal), Type(discipline, "abc" + typed));
        Assert.False(discipline.HasInput(1));
        Assert.True(discipline.HasFlushed);
    }

    [Fact]
    public void EndOfFile_IsAnEmptyRead()
    {
        LineDiscipline discipline = new();
        Type(discipline, "\u0004");
        Assert.True(discipline.HasInput(1));
        Assert.Equal("", Read(discipline));
        Assert.False(discipline.HasInput(1));
    }

    [Fact]
    public void LongLine_IsCut_AndStillEnds()
    {
        LineDiscipline discipline = new();
        Type(discipline, new string('x', 5000) + "\n");
        string line = Read(discipline);
        Assert.Equal((InputBuffer.Capacity, 'x', '\n'), (line.Length, line[^2], line[^1]));
    }

    [Fact]
    public void Raw_InputAndOutput_AreWhatWasWritten() => Gen.Byte.Array[0, 3000].Sample(static bytes =>
    {
        LineDiscipline discipline = new();
        Termios raw = discipline.Termios;
        (raw.Input, raw.Output, raw.Local) = (InputModes.None, OutputModes.None, LocalModes.None);
        discipline.Set(raw);
        SignalSet raised = default;
        Assert.Equal(bytes.Length, discipline.Receive(bytes, ref raised));
        Assert.Equal(bytes.Length, discipline.Write(bytes));
        byte[] read = new byte[4096];
        Assert.Equal(bytes, read[..discipline.Read(read)]);
        Assert.Equal(bytes, read[..discipline.Output.Take(read)]);
        Assert.True(raised.IsEmpty);
    });

    [Fact]
    public void AnySettings_AndAnyBytes_KeepItsBounds() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt, Gen.Byte.Array[0, 6000].Array[1, 8]).Sample(static (input, output, local, writes) => Use(input, output, local, writes));

    private static void Use(uint input, uint output, uint local, byte[][] writes)
    {
        LineDiscipline discipline = new();
        byte[] buffer = new byte[64];
        foreach (byte[] bytes in writes)
        {
            Termios termios = discipline.Termios;
            (termios.Input, termios.Output, termios.Local) = ((InputModes)(input & 0x7fff), (OutputModes)(output & 0x183f), (LocalModes)(local & 0x1ffff));
            discipline.Set(termios);
            (input, output, local) = (output, local, input);
            SignalSet raised = default;
            Assert.InRange(discipline.Receive(bytes, ref raised), 0, bytes.Length);
            Assert.InRange(discipline.Write(bytes), 0, bytes.Length);
            Assert.InRange(discipline.BytesReadable, 0, InputBuffer.Capacity);
            Assert.InRange(discipline.Output.Count, 0, TerminalOutput.Capacity);
            if (discipline.HasInput(1))
            {
                Assert.InRange(discipline.Read(buffer), 0, buffer.Length);
            }

            discipline.Output.Take(buffer);
        }
    }

    private static SignalSet Type(LineDiscipline discipline, string text)
    {
        SignalSet raised = default;
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        Assert.Equal(bytes.Length, discipline.Receive(bytes, ref raised));
        return raised;
    }

    private static string Read(LineDiscipline discipline)
    {
        byte[] buffer = new byte[8192];
        return Encoding.Latin1.GetString(buffer, 0, discipline.Read(buffer));
    }

    private static string Shown(LineDiscipline discipline)
    {
        byte[] buffer = new byte[TerminalOutput.Capacity];
        return Encoding.Latin1.GetString(buffer, 0, discipline.Output.Take(buffer));
    }
}
