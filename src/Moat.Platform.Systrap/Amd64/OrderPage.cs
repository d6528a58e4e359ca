using Moat.Linux;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>Layout of a page of orders.</summary>
internal static class OrderPage
{
    /// <summary>int: changes when there are new orders.</summary>
    public const int Sequence = 0;

    /// <summary>int: how many there are.</summary>
    public const int Count = 4;

    /// <summary>The eventfd on which the end is reported: 1 and the errno of the first failure, or <see cref="ProcessBias"/> and a pid.</summary>
    public const int DoneFd = 8;

    /// <summary>The orders.</summary>
    public const int Orders = 64;

    /// <summary>What is added to the pid of a new process.</summary>
    public const int ProcessBias = 8192;

    /// <summary>An order, not a call: make a thread of the application in the slot at the first argument.</summary>
    public const SyscallNumber MakeThread = (SyscallNumber)0x10000;

    /// <summary>An order, not a call: make a process whose page of orders is at the first argument in the file. It comes alone.</summary>
    public const SyscallNumber MakeProcess = (SyscallNumber)0x10001;
}
