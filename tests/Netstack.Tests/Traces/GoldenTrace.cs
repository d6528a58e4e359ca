namespace Moat.Netstack.Tests.Traces;

/// <summary>Traces as they are meant to be: one file for each test, in <c>Golden</c> beside this file. They were written by the stack, read line by line against the RFCs and Linux, and are never rewritten by a program.</summary>
internal static class GoldenTrace
{
    /// <summary>Fails if a trace is not that of the file.</summary>
    public static void AssertIs(string trace, string test)
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Traces", "Golden", test + ".trace");
        string expected = File.Exists(file) ? File.ReadAllText(file) : "";
        Assert.True(expected == trace, $"{test}: expected\n{expected}\nbut it is\n{trace}");
    }
}
