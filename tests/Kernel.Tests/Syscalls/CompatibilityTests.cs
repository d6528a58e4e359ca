using System.Text;
using Moat.Linux;
using Moat.Syscalls;
using Moat.TestSupport;

namespace Moat.Kernel.Tests.Syscalls;

/// <summary>docs/compatibility.md is what the system call table says. With UPDATE=1 in the environment the test writes it.</summary>
public sealed class CompatibilityTests
{
    private static readonly string s_file = Path.Combine(Runsc.Repository, "docs", "compatibility.md");

    [Fact]
    public void Document_IsUpToDate()
    {
        string wanted = Generate(SyscallTable.Create());
        if (Environment.GetEnvironmentVariable("UPDATE") == "1")
        {
            File.WriteAllText(s_file, wanted);
        }

        Assert.Equal(wanted, File.ReadAllText(s_file));
    }

    private static string Generate(SyscallTable table)
    {
        SyscallNumber[] numbers = [.. Enum.GetValues<SyscallNumber>().Order()];
        SyscallNumber[] missing = [.. numbers.Where(number => table.Find((ulong)number) is null)];
        StringBuilder text = new();
        text.Append(
            $"""
            # System calls

            Generated from the system call table: `UPDATE=1 dotnet artifacts/build/bin/Kernel.Tests/debug/Kernel.Tests.dll -method '*Document_IsUpToDate'`.
            Of the {numbers.Length} calls of x86-64 Linux, {numbers.Length - missing.Length} are implemented. All others answer ENOSYS and are logged once with their name.
            What of an implemented call differs from Linux is said where it is decided, in the code and in `docs/decisions`; `tests/Guest` compares the calls with Linux case by case.
            What netfilter has is in `docs/netfilter.md`.

            ## Implemented

            | number | call | arguments |
            |---:|---|---|

            """);
        foreach (SyscallNumber number in numbers)
        {
            if (table.Find((ulong)number) is { } entry)
            {
                text.Append($"| {(int)number} | {number} | {string.Join(", ", entry.Arguments)} |\n");
            }
        }

        text.Append("\n## Not implemented\n\n| number | call |\n|---:|---|\n");
        foreach (SyscallNumber number in missing)
        {
            text.Append($"| {(int)number} | {number} |\n");
        }

        return text.ToString();
    }
}
