@echo off
rem Builds the program `rl` (quickly where nothing has changed), then runs it. `rl test [options]` runs the tests instead.
setlocal
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
set "root=%~dp0"

where dotnet >nul 2>nul
if errorlevel 1 (
    echo rl: the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download and try again. 1>&2
    exit /b 1
)

if /i "%~1"=="test" goto :test

pushd "%root%"
dotnet build src\Node\Rl.Distributed.Node.csproj -c Release -v quiet --nologo 1>&2
if errorlevel 1 (
    popd
    echo rl: the build failed. 1>&2
    exit /b 1
)
popd
dotnet "%root%src\Node\bin\Release\net10.0\rl.dll" %*
exit /b %errorlevel%

:test
pushd "%root%"
for /f "tokens=1,*" %%a in ("%*") do set "rest=%%b"
dotnet test --solution Rl.Distributed.sln -c Release --max-parallel-test-modules 1 %rest%
set code=%errorlevel%
popd
exit /b %code%
