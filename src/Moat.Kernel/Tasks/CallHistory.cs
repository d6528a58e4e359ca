using System.Globalization;
using System.Text;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>The last system calls of a task, for the report of a bug. The task writes; a report by another thread may see a call half written, and says no more than that.</summary>
public sealed class CallHistory
{
    private const int Kept = 16; // a power of two

    private readonly Call[] _calls = new Call[Kept];
    private int _count;

    /// <summary>A call begins.</summary>
    public void Begin(in RegisterSet registers)
    {
        ref Call call = ref _calls[_count & (Kept - 1)];
        _count++;
        call.Number = registers.OrigRax;
        call.First = registers.Rdi;
        call.Second = registers.Rsi;
        call.Third = registers.Rdx;
        call.Fourth = registers.R10;
        call.HasReturned = false;
    }

    /// <summary>It has returned.</summary>
    public void End(long result)
    {
        ref Call call = ref _calls[(_count - 1) & (Kept - 1)];
        call.Result = result;
        call.HasReturned = true;
    }

    /// <summary>Appends a line for each call, oldest first.</summary>
    public void Describe(StringBuilder text)
    {
        int end = _count;
        for (int i = Math.Max(0, end - Kept); i < end; i++)
        {
            Call call = _calls[i & (Kept - 1)];
            text.Append(CultureInfo.InvariantCulture, $"  {(SyscallNumber)call.Number}(0x{call.First:x}, 0x{call.Second:x}, 0x{call.Third:x}, 0x{call.Fourth:x}");
            text.Append(call.HasReturned ? string.Create(CultureInfo.InvariantCulture, $") = {call.Result}\n") : " <unfinished>\n");
        }
    }

    private struct Call
    {
        public ulong Number;
        public ulong First;
        public ulong Second;
        public ulong Third;
        public ulong Fourth;
        public long Result;
        public bool HasReturned;
    }
}
